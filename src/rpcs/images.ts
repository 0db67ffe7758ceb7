import { CriError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type {
  AuthConfig,
  Image,
  ImageFsInfoResponse,
  ImageSpec,
  ImageStatusResponse,
  PodSandboxConfig,
} from "../proto.js";
import type { Connection } from "../transport/connection.js";
import { pinDeadline } from "./budget.js";
import { demand } from "./checked.js";
import { ignoreMissing } from "./failure.js";
import { invoke } from "./invoke.js";
import { batches, list } from "./list.js";

const subject = { service: "image" } as const;

/** PullImage; returns the runtime's reference of the image, usually its id. */
export async function pullImage(
  connection: Connection,
  image: ImageSpec,
  auth: AuthConfig | undefined,
  sandboxConfig: PodSandboxConfig | undefined,
  options?: CallOptions,
): Promise<string> {
  const { imageRef } = await invoke(
    connection,
    options,
    (o) => connection.image.pullImage({ image, auth, sandboxConfig }, o),
    {
      ...subject,
      image: image.userSpecifiedImage || image.image,
    },
  );
  demand(connection, "ImageService/PullImage", { imageRef });
  return imageRef;
}

/** ImageStatus. An absent image is not an error: `image` is then undefined. */
export async function imageStatus(
  connection: Connection,
  image: ImageSpec,
  verbose: boolean,
  options?: CallOptions,
): Promise<ImageStatusResponse> {
  const reply = await invoke(connection, options, (o) => connection.image.imageStatus({ image, verbose }, o), subject);
  if (reply.image) {
    demand(connection, "ImageService/ImageStatus", { "image.id": reply.image.id, "image.size": reply.image.size });
  }
  return reply;
}

/** StreamImages where the runtime has it, ListImages otherwise. */
export function listImages(
  connection: Connection,
  image: ImageSpec | undefined,
  options?: CallOptions,
): Promise<Image[]> {
  const filter = image && { image };
  return list(
    connection,
    {
      streamRpc: "ImageService/StreamImages",
      stream: (o) => batches(connection.image.streamImages({ filter }, o), (reply) => reply.images),
      unary: async (o) => (await connection.image.listImages({ filter }, o)).images,
      idOf: ({ id }) => id,
    },
    options,
    subject,
  );
}

/**
 * RemoveImage by the image's id, whatever reference is given. An image that is gone counts as removed.
 *
 * Only the id means the same everywhere: for another reference cri-dockerd reports success and removes nothing, and so does CRI-O
 * for a digest; for a tag, CRI-O removes just that.
 */
export async function removeImage(connection: Connection, image: ImageSpec, options?: CallOptions): Promise<void> {
  const pinned = pinDeadline(options ?? {});
  const { image: present } = await imageStatus(connection, image, false, pinned);
  if (!present) return;
  const byId = { ...image, image: present.id };
  await ignoreMissing(
    pinned,
    (o) => invoke(connection, o, (rest) => connection.image.removeImage({ image: byId }, rest), subject),
    (o) => missingImage(connection, byId, o),
  );
}

/** Rejects with NOT_FOUND if the image is gone, as the status of anything else would. */
async function missingImage(connection: Connection, image: ImageSpec, options: CallOptions): Promise<void> {
  const { image: present } = await imageStatus(connection, image, false, options);
  if (!present) throw new CriError({ code: "NOT_FOUND", message: "image not found" });
}

/** ImageFsInfo: what images and containers take up on disk. */
export function imageFsInfo(connection: Connection, options?: CallOptions): Promise<ImageFsInfoResponse> {
  return invoke(connection, options, (o) => connection.image.imageFsInfo({}, o), subject);
}
