import { CriError, type CriErrorCode, InvalidInputError } from "../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../input/call-options.js";
import type { CallOptions } from "../options.js";
import { type Container, type Image, ImageSpec } from "../proto.js";
import { callOptionsOf, pinDeadline } from "../rpcs/budget.js";
import { listContainers } from "../rpcs/containers.js";
import { listImages, removeImage } from "../rpcs/images.js";
import { status } from "../rpcs/runtime.js";
import type { Connection } from "../transport/connection.js";

/** Options of `images.prune`. `timeoutMs` and `deadline` limit the whole operation. */
export interface PruneOptions extends CallOptions {
  /** Selects which of the unused images to remove. @defaultValue all of them */
  filter?: ((image: Image) => boolean) | undefined;
  /** Removes nothing and only returns which images would be removed. @defaultValue false */
  dryRun?: boolean | undefined;
}

const pruneFields: FieldsOf<PruneOptions> = { filter: true, dryRun: true, ...callOptionFields };

/** The result of `images.prune`. */
export interface PrunedImages {
  /** The images that were removed; with `dryRun`, those that would be. */
  removed: Image[];
  /** The images that the runtime refused to remove. CRI-O and Docker may know of containers that CRI does not list. */
  failed: { image: Image; error: CriError }[];
}

/** Codes that do not concern a single image: the next removal would fail in the same way. */
const fatalCodes: readonly CriErrorCode[] = ["CLIENT_CLOSED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "UNIMPLEMENTED"];

export async function pruneImages(connection: Connection, options: PruneOptions = {}): Promise<PrunedImages> {
  checkOptions(options, pruneFields);
  const { filter = () => true, dryRun = false } = options;
  if (typeof filter !== "function")
    throw new InvalidInputError({ field: "filter", message: "must be a function", value: filter });
  const callOptions = callOptionsOf(pinDeadline(options));
  // Containers are listed after images, so that the list contains a container that is created in between.
  const images = await listImages(connection, undefined, callOptions);
  const used = await usedImages(connection, callOptions);
  const unused = images.filter((image) => !image.pinned && !namesOf(image).some((name) => used.has(name)));

  const result: PrunedImages = { removed: [], failed: [] };
  for (const image of unused.filter((candidate) => filter(candidate))) {
    try {
      if (!dryRun) await removeImage(connection, ImageSpec.create({ image: image.id }), callOptions);
      result.removed.push(image);
    } catch (error) {
      if (!CriError.is(error) || fatalCodes.includes(error.code)) throw error;
      result.failed.push({ image, error });
    }
  }
  return result;
}

/** Returns all names of the images that containers use. Runtimes differ in which name a container has. */
async function usedImages(connection: Connection, options: CallOptions): Promise<ReadonlySet<string>> {
  const containers = await listContainers(connection, undefined, options);
  const { info } = await status(connection, true, options);
  return new Set([...containers.flatMap(imageNames), ...sandboxImages(info)].filter((name) => name !== "").map(bare));
}

function imageNames({ image, imageId, imageRef }: Container): string[] {
  return [imageId, imageRef, image?.image ?? "", image?.userSpecifiedImage ?? ""];
}

function namesOf({ id, repoTags, repoDigests }: Image): string[] {
  return [id, ...repoTags, ...repoDigests].map(bare);
}

/** Finds the image of pod sandboxes. containerd 1.6 does not pin it, and lists no container that uses it. */
function sandboxImages(info: Record<string, string>): string[] {
  return Object.values(info).flatMap((text) =>
    [...text.matchAll(/"sandboxImage":\s*"([^"]+)"/g)].map(([, name = ""]) => name),
  );
}

/** Removes the prefix that only some runtimes give to ids: `sha256:` or `docker-pullable://`. */
function bare(name: string): string {
  return name.replace(/^[a-z][a-z0-9+.-]*:\/\//, "").replace(/^sha256:/, "");
}
