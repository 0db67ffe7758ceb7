import { CriError } from "../errors.js";
import { callOptionFields, checkOptions } from "../input/call-options.js";
import { withToJson } from "../json/stringify.js";
import type { CallOptions } from "../options.js";
import {
  type AuthConfig,
  Image,
  ImageFsInfoResponse,
  type ImageSpec,
  type ImageStatusResponse,
  type PodSandboxConfig,
} from "../proto.js";
import type { Connection } from "../transport/connection.js";
import { pinDeadline } from "./budget.js";
import { requireFields } from "./checked.js";
import { ignoreMissing } from "./failure.js";
import { invoke } from "./invoke.js";
import { batches, type ListCall, list } from "./list.js";
import { listInParts } from "./list-in-parts.js";

const subject = { service: "image" } as const;

/** Calls PullImage. Returns the runtime's reference of the image, usually its id. */
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
  requireFields(connection, "ImageService/PullImage", { imageRef });
  return imageRef;
}

/** Calls ImageStatus. `image` is undefined if the image is not on the node. */
export async function imageStatus(
  connection: Connection,
  image: ImageSpec,
  verbose: boolean,
  options?: CallOptions,
): Promise<ImageStatusResponse> {
  const reply = await invoke(connection, options, (o) => connection.image.imageStatus({ image, verbose }, o), subject);
  if (reply.image) {
    requireFields(connection, "ImageService/ImageStatus", {
      "image.id": reply.image.id,
      "image.size": reply.image.size,
    });
    withToJson(Image, reply.image);
  }
  return reply;
}

/** Calls StreamImages if the runtime has it, otherwise ListImages. */
export function listImages(
  connection: Connection,
  image: ImageSpec | undefined,
  options?: CallOptions,
): Promise<Image[]> {
  return list(connection, imagesCall(connection, image), options, subject);
}

/** Lists the same as {@link listImages}, in parts. */
export function listImagesInParts(
  connection: Connection,
  image: ImageSpec | undefined,
  options?: CallOptions,
): AsyncIterable<readonly Image[]> {
  return listInParts(connection, imagesCall(connection, image), options, subject);
}

function imagesCall(connection: Connection, image: ImageSpec | undefined): ListCall<Image> {
  const filter = image && { image };
  return {
    type: Image,
    streamRpc: "ImageService/StreamImages",
    stream: (o) => batches(connection.image.streamImages({ filter }, o), (reply) => reply.images),
    unary: async (o) => (await connection.image.listImages({ filter }, o)).images,
    idOf: ({ id }) => id,
  };
}

/**
 * Looks up the image's id by any reference, and calls RemoveImage with the id. Returns the removed image, or `undefined` if the
 * image does not exist.
 *
 * Only the id has the same effect on all runtimes. For another reference, cri-dockerd reports success and removes nothing; so
 * does CRI-O for a digest. For a tag, CRI-O removes only the tag.
 */
export async function removeImage(
  connection: Connection,
  image: ImageSpec,
  options?: CallOptions,
): Promise<Image | undefined> {
  checkOptions(options, callOptionFields);
  const pinned = pinDeadline(options ?? {});
  const { image: present } = await imageStatus(connection, image, false, pinned);
  if (!present) return undefined;
  const byId = { ...image, image: present.id };
  await ignoreMissing(
    pinned,
    (o) => invoke(connection, o, (rest) => connection.image.removeImage({ image: byId }, rest), subject),
    (o) => checkImageExists(connection, byId, o),
  );
  return present;
}

/** Rejects with NOT_FOUND if the image does not exist, like the status RPCs of other objects. */
async function checkImageExists(connection: Connection, image: ImageSpec, options: CallOptions): Promise<void> {
  const { image: present } = await imageStatus(connection, image, false, options);
  if (!present) throw new CriError({ code: "NOT_FOUND", message: "image not found" });
}

/** Calls ImageFsInfo. Returns the disk usage of images and containers. */
export async function imageFsInfo(connection: Connection, options?: CallOptions): Promise<ImageFsInfoResponse> {
  const reply = await invoke(connection, options, (o) => connection.image.imageFsInfo({}, o), subject);
  return withToJson(ImageFsInfoResponse, reply);
}
