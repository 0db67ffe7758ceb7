import { type FieldsOf, object } from "../input/object-reader.js";
import type { CriStream } from "../internal/stream.js";
import type { CallOptions } from "../options.js";
import type { Image, ImageSpec } from "../proto.js";
import { type Budget, startBudget } from "../rpcs/budget.js";
import { imageStatus, listImages, listImagesInParts } from "../rpcs/images.js";
import { type ImageInput, toImageSpec } from "../specs/image-ref.js";
import type { Connection } from "../transport/connection.js";
import { listStream, only } from "./list-stream.js";

/** Selects the images to list. */
interface ImageFilter {
  image?: ImageInput | undefined;
}

const filterFields: FieldsOf<ImageFilter> = { image: true };

/** Lists the images, or those that a reference names. */
export async function listMatchingImages(
  connection: Connection,
  filter: ImageFilter,
  options: CallOptions | undefined,
): Promise<Image[]> {
  const spec = checkFilter(filter);
  if (!spec) return listImages(connection, undefined, options);
  const budget = startBudget(connection, options, 1);
  const found = await idOfImage(connection, spec, budget);
  if (found === undefined) return [];
  return (await listImages(connection, spec, budget.options())).filter(({ id }) => id === found);
}

/** Streams what {@link listMatchingImages} returns. */
export function iterateImages(
  connection: Connection,
  filter: ImageFilter,
  options: CallOptions | undefined,
): CriStream<Image> {
  const spec = checkFilter(filter);
  return listStream(connection, options, async function* (given) {
    if (!spec) return yield* listImagesInParts(connection, undefined, given);
    const budget = startBudget(connection, given, 1);
    const found = await idOfImage(connection, spec, budget);
    if (found === undefined) return;
    yield* only(listImagesInParts(connection, spec, budget.options()), ({ id }) => id === found);
  });
}

function checkFilter(filter: ImageFilter): ImageSpec | undefined {
  const { image } = object(filter, "filter", filterFields);
  return image === undefined ? undefined : toImageSpec(image, "filter.image");
}

/** Resolves a reference before the list, because containerd ignores the filter. */
async function idOfImage(connection: Connection, spec: ImageSpec, budget: Budget): Promise<string | undefined> {
  return (await imageStatus(connection, spec, false, budget.options())).image?.id;
}
