import type { PulledImage } from "../errors.js";
import type { CriStream } from "../internal/stream.js";
import type { CallOptions } from "../options.js";
import type { Image, ImageFsInfoResponse } from "../proto.js";
import * as rpcs from "../rpcs/images.js";
import { type ImageInput, toImageSpec } from "../specs/image-ref.js";
import type { Connection } from "../transport/connection.js";
import { type EnsureOptions, ensureImage, findImage, type PullOptions, pullImage } from "./ensure-image.js";
import { iterateImages, listMatchingImages } from "./filtered-images.js";
import { imageActivity } from "./pruning/image-activity.js";
import type { ImageUsage } from "./pruning/image-usage.js";
import { type PrunedImages, type PruneOptions, pruneImages, recordImageUsage } from "./pruning/prune-images.js";
import { type PullAllOptions, type PullRequest, pullAllImages } from "./pull-all.js";

/**
 * The images of a node: `cri.images`. All methods reject with {@link CriError}, with {@link InvalidInputError} before any I/O when
 * an argument is invalid, and with the signal's reason when they are cancelled.
 */
export class Images {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Pulls an image (PullImage). Returns the runtime's reference of it, usually its id. CRI reports no progress. The client does not
   * retry a pull unless `retry` is set. Cancelling the call cancels the pull.
   *
   * @throws ImagePullError with a `reason`
   */
  async pull(image: ImageInput, options?: PullOptions): Promise<string> {
    return pullImage(this.#connection, image, options);
  }

  /**
   * Pulls an image if the pull policy requires it, and returns the image.
   *
   * @throws CriError `NOT_FOUND` if the policy is "never" and the image is not on the node
   * @throws ImagePullError
   */
  async ensure(image: ImageInput, options?: EnsureOptions): Promise<Image> {
    return ensureImage(this.#connection, image, options);
  }

  /**
   * Pulls several images by the pull policy, a few at the same time. An image that the list contains several times is pulled once.
   * Returns one result for each entry of the list, in its order.
   *
   * After a failure it continues with the other images (unless `stopOnError` is set), and then rejects with all results. When the
   * signal aborts, it cancels the pulls in progress, waits until they have ended, and rejects with the signal's reason.
   *
   * ```ts
   * await cri.images.pullAll(["busybox:1.37", { image: "registry.example/app:2", pullPolicy: "always" }], {
   *   onProgress: ({ reference, state, counts }) => console.log(reference, state, counts.queued),
   * });
   * ```
   *
   * @throws ImagePullsError with the `results` of all images, if at least one could not be pulled
   * @throws InvalidInputError if an entry is invalid
   */
  async pullAll(images: readonly (ImageInput | PullRequest)[], options?: PullAllOptions): Promise<PulledImage[]> {
    return pullAllImages(this.#connection, images, options);
  }

  /** Returns an image by tag, digest or id (ImageStatus), or `undefined` if it is not on the node. */
  async get(image: ImageInput, options?: CallOptions): Promise<Image | undefined> {
    return findImage(this.#connection, image, options);
  }

  /** Returns whether an image is on the node, by tag, digest or id: whether {@link get} returns it. */
  async exists(image: ImageInput, options?: CallOptions): Promise<boolean> {
    return (await findImage(this.#connection, image, options)) !== undefined;
  }

  /**
   * Returns an image with the runtime's diagnostics, as `crictl inspecti` shows them (ImageStatus, verbose), or `undefined` if it
   * is not on the node.
   */
  async inspect(
    image: ImageInput,
    options?: CallOptions,
  ): Promise<{ image: Image; info: Record<string, string> } | undefined> {
    const { image: found, info } = await rpcs.imageStatus(this.#connection, toImageSpec(image, "image"), true, options);
    return found && { image: found, info };
  }

  /**
   * Lists the images on the node, or those that a reference names. The list is streamed if the runtime supports it (since
   * Kubernetes 1.36).
   */
  async list(filter: { image?: ImageInput | undefined } = {}, options?: CallOptions): Promise<Image[]> {
    return listMatchingImages(this.#connection, filter, options);
  }

  /**
   * Streams the images of {@link list} one by one, and keeps none of them. Its limits and errors are those of `containers.iterate`.
   *
   * @throws InvalidInputError at once, for an invalid filter or option
   */
  iterate(filter: { image?: ImageInput | undefined } = {}, options?: CallOptions): CriStream<Image> {
    return iterateImages(this.#connection, filter, options);
  }

  /**
   * Removes an image with all its tags and digests (RemoveImage). You can pass any of them: the client looks up the id and removes
   * the image by it, because runtimes disagree about other references. Succeeds if the image is not on the node.
   *
   * CRI-O and Docker refuse to remove an image that a container uses. containerd removes it, and the container keeps its files.
   */
  async remove(image: ImageInput, options?: CallOptions): Promise<void> {
    const removed = await rpcs.removeImage(this.#connection, toImageSpec(image, "image"), options);
    if (removed) imageActivity(this.#connection).removed(removed);
  }

  /**
   * Removes the images that no container uses, running or not. Keeps pinned images, the image of the runtime's pod sandboxes, and
   * images that this client was asked to pull, to ensure or to create a container from in the last two minutes (`minAgeMs`).
   *
   * An image that another program pulled for a container that is not created yet counts as unused: `keep` or `filter` can keep it.
   * CRI does not report when an image was pulled or last used. An {@link ImageUsage} records it.
   *
   * ```ts
   * await cri.images.prune({ keep: ["registry.example/base/*"], belowBytes: 20e9 });
   * ```
   *
   * @returns the removed images, in `failed` those that the runtime refused to remove, and in `kept` the others with the reason
   * @throws CriError if images, containers or the usage of the disk cannot be read, or at the time limit
   */
  async prune(options?: PruneOptions): Promise<PrunedImages> {
    return pruneImages(this.#connection, options);
  }

  /**
   * Records which images are on the node and in use, for {@link prune} with `unusedForMs`. Call it every few minutes: usage by a
   * container that is created and removed between two recordings goes unnoticed.
   */
  async recordUsage(usage: ImageUsage, options: CallOptions = {}): Promise<void> {
    await recordImageUsage(this.#connection, usage, options);
  }

  /**
   * Returns the file systems of images, and of containers since Kubernetes 1.29, with their usage (ImageFsInfo).
   *
   * containerd measures every 10 seconds, so the usage may be older than the latest pull or removal. `timestamp` is the time of the
   * measurement, in nanoseconds: `toDate(timestamp)`. Do not remove images in a loop until the usage falls, because that removes
   * too many. Add up the `size` of the removed images, or wait for a newer `timestamp`.
   */
  async fsInfo(options?: CallOptions): Promise<ImageFsInfoResponse> {
    return rpcs.imageFsInfo(this.#connection, options);
  }
}
