import { type FieldsOf, object } from "../input/object-reader.js";
import type { CallOptions } from "../options.js";
import type { Image, ImageFsInfoResponse } from "../proto.js";
import { startBudget } from "../rpcs/budget.js";
import * as rpcs from "../rpcs/images.js";
import { type ImageInput, toImageSpec } from "../specs/image-ref.js";
import type { Connection } from "../transport/connection.js";
import { type EnsureOptions, ensureImage, findImage, type PullOptions, pullImage } from "./ensure-image.js";
import { type PrunedImages, type PruneOptions, pruneImages } from "./prune-images.js";

const filterFields: FieldsOf<{ image?: ImageInput | undefined }> = { image: true };

/**
 * The images of a node: `cri.images`. All methods reject with {@link CriError}, with {@link InvalidInputError} before any I/O when an
 * argument makes no sense, and with the signal's reason when they are cancelled.
 */
export class Images {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * PullImage: fetches an image and returns the runtime's reference of it, usually its id. CRI reports no progress. Not retried
   * unless `retry` is given; cancelling it cancels the pull.
   *
   * @throws ImagePullError with a `reason`
   */
  async pull(image: ImageInput, options?: PullOptions): Promise<string> {
    return pullImage(this.#connection, image, options);
  }

  /**
   * Makes sure that an image is on the node, by the pull policy, and returns it.
   *
   * @throws CriError `NOT_FOUND` when the policy is "never" and the image is not there
   * @throws ImagePullError
   */
  async ensure(image: ImageInput, options?: EnsureOptions): Promise<Image> {
    return ensureImage(this.#connection, image, options);
  }

  /** ImageStatus: an image by tag, digest or id; `undefined` when it is not on the node. */
  async get(image: ImageInput, options?: CallOptions): Promise<Image | undefined> {
    return findImage(this.#connection, image, options);
  }

  /** Returns whether an image is on the node, by tag, digest or id: whether {@link get} returns it. */
  async exists(image: ImageInput, options?: CallOptions): Promise<boolean> {
    return (await findImage(this.#connection, image, options)) !== undefined;
  }

  /** ImageStatus with the runtime's own diagnostics, as `crictl inspecti` shows them. */
  async inspect(
    image: ImageInput,
    options?: CallOptions,
  ): Promise<{ image: Image; info: Record<string, string> } | undefined> {
    const { image: found, info } = await rpcs.imageStatus(this.#connection, toImageSpec(image, "image"), true, options);
    return found && { image: found, info };
  }

  /** All images on the node, or those that a reference stands for. Streamed where the runtime can (since Kubernetes 1.36). */
  async list(filter: { image?: ImageInput | undefined } = {}, options?: CallOptions): Promise<Image[]> {
    object(filter, "filter", filterFields);
    if (filter.image === undefined) return rpcs.listImages(this.#connection, undefined, options);
    const spec = toImageSpec(filter.image, "filter.image");
    const budget = startBudget(this.#connection, options, 1);
    // containerd pays no heed to the filter, so what a reference stands for is asked first.
    const { image } = await rpcs.imageStatus(this.#connection, spec, false, budget.options());
    if (!image) return [];
    const images = await rpcs.listImages(this.#connection, spec, budget.options());
    return images.filter(({ id }) => id === image.id);
  }

  /**
   * RemoveImage: removes an image with all its tags and digests, as CRI says, whichever of them names it. The client looks up the
   * image's id first and removes by that: other references mean something else on each runtime. Succeeds on a missing image.
   *
   * CRI-O and Docker refuse an image that a container uses. containerd removes it; the container keeps its files.
   */
  async remove(image: ImageInput, options?: CallOptions): Promise<void> {
    await rpcs.removeImage(this.#connection, toImageSpec(image, "image"), options);
  }

  /**
   * Removes the images that no container uses, running or not. Keeps pinned images and the image of the runtime's pod sandboxes.
   *
   * Images that are pulled while it runs are kept. An image that was pulled before for a container that is not created yet counts
   * as unused: `filter` can keep it. CRI does not say when an image was pulled or last used.
   *
   * ```ts
   * const { removed } = await cri.images.prune({ filter: ({ repoTags }) => repoTags.some((tag) => tag.startsWith("ci.example/")) });
   * ```
   *
   * @throws CriError if images or containers cannot be listed, or the time is up. An image that the runtime refuses to remove is
   *   in `failed` of the result
   */
  async prune(options?: PruneOptions): Promise<PrunedImages> {
    return pruneImages(this.#connection, options);
  }

  /**
   * ImageFsInfo: the file systems that images (and, since Kubernetes 1.29, containers) are kept on, and what they take up.
   *
   * containerd measures every 10 seconds, so the numbers may be from before the latest removal or pull. `timestamp` of each file
   * system says when it was measured, in nanoseconds: `toDate(timestamp)`. Do not remove images in a loop until the
   * numbers sink, for that removes too many; add up `size` of what was removed, or wait for a newer `timestamp`.
   */
  async fsInfo(options?: CallOptions): Promise<ImageFsInfoResponse> {
    return rpcs.imageFsInfo(this.#connection, options);
  }
}
