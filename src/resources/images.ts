import { CriError, InvalidInputError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type { Image, ImageFsInfoResponse, PodSandboxConfig } from "../proto.js";
import { pinDeadline, startBudget } from "../rpcs/budget.js";
import * as rpcs from "../rpcs/images.js";
import { type ImageInput, splitReference, toImageSpec } from "../specs/image-ref.js";
import { type RegistryAuth, toAuthConfig } from "../specs/registry-auth.js";
import type { Connection } from "../transport/connection.js";
import { type PrunedImages, type PruneOptions, pruneImages } from "./prune-images.js";

/** When to pull: always, only if the image is not there, or never. */
export type PullPolicy = "missing" | "always" | "never";

/** Options of a pull. A pull has no default budget: give `timeoutMs` or a `signal` to bound it. */
export interface PullOptions extends CallOptions {
  /** Credentials for the registry; they are sent with this call and kept nowhere. */
  auth?: RegistryAuth | undefined;
  /** The pod that the image is for. Some runtimes choose storage or credentials by it. */
  podConfig?: PodSandboxConfig | undefined;
}

/** Options of {@link Images.ensure}. */
export interface EnsureOptions extends PullOptions {
  /** When to pull. @defaultValue "missing" */
  pullPolicy?: PullPolicy | undefined;
}

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
  async pull(image: ImageInput, options: PullOptions = {}): Promise<string> {
    const { auth, podConfig, ...callOptions } = options;
    const spec = toImageSpec(image, "image");
    const { registry } = splitReference(spec.userSpecifiedImage);
    return rpcs.pullImage(this.#connection, spec, auth && toAuthConfig(auth, "auth", registry), podConfig, callOptions);
  }

  /**
   * Makes sure that an image is on the node, by the pull policy, and returns it.
   *
   * @throws CriError `NOT_FOUND` when the policy is "never" and the image is not there
   * @throws ImagePullError
   */
  async ensure(image: ImageInput, options: EnsureOptions = {}): Promise<Image> {
    const { pullPolicy = "missing", auth, podConfig, ...callOptions } = pinDeadline(options);
    if (!["missing", "always", "never"].includes(pullPolicy)) {
      throw new InvalidInputError({
        field: "pullPolicy",
        message: 'must be "missing", "always" or "never"',
        value: pullPolicy,
      });
    }
    const spec = toImageSpec(image, "image");
    if (pullPolicy !== "always") {
      const present = await this.get(image, callOptions);
      if (present) return present;
    }
    const written = spec.userSpecifiedImage || spec.image;
    if (pullPolicy === "never") {
      throw new CriError({
        code: "NOT_FOUND",
        message: `image ${written} is not on the node and the pull policy is "never"; pull it first or use "missing"`,
        endpoint: this.#connection.imageEndpoint,
        method: "ImageService/ImageStatus",
        attempts: 1,
      });
    }
    const imageRef = await this.pull(image, { auth, podConfig, ...callOptions });
    // The reference a pull returns is looked up rather than the tag, which may have moved on.
    const pulled = (await this.get({ reference: imageRef }, callOptions)) ?? (await this.get(image, callOptions));
    if (pulled) return pulled;
    throw new CriError({
      code: "NOT_FOUND",
      message: `image ${written} was pulled as ${imageRef} and is gone again; is another process removing images?`,
      endpoint: this.#connection.imageEndpoint,
      method: "ImageService/ImageStatus",
      attempts: 1,
    });
  }

  /** ImageStatus: an image by tag, digest or id; `undefined` when it is not on the node. */
  async get(image: ImageInput, options?: CallOptions): Promise<Image | undefined> {
    return (await rpcs.imageStatus(this.#connection, toImageSpec(image, "image"), false, options)).image;
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
