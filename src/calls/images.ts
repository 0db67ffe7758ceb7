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

/** RemoveImage. An image that is gone counts as removed. */
export async function removeImage(connection: Connection, image: ImageSpec, options?: CallOptions): Promise<void> {
  await ignoreMissing(
    options,
    (pinned) => invoke(connection, pinned, (o) => connection.image.removeImage({ image }, o), subject),
    (pinned) => missingImage(connection, image, pinned),
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
