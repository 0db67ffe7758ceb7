import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { type Container, ContainerState, type Image, type PodSandboxAttributes } from "../../proto.js";
import { listContainers } from "../../rpcs/containers.js";
import { listImages } from "../../rpcs/images.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";

/** Which pod something belongs to. */
export interface PodIdentity {
  /** The pod sandbox id. */
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Which image a container runs. */
export interface ImageIdentity {
  /** As the container's creator wrote it, else a tag or digest of it; `undefined` for an image without a name. */
  readonly reference: string | undefined;
  /** The runtime's own name for it: an id, or on older CRI-O a digest. */
  readonly id: string;
}

/** What the stats of a container do not include. */
interface Belonging {
  readonly podId: string;
  readonly image: ImageIdentity;
}

/**
 * The running containers, with their pods and images. Pods and images are listed only when there is a new container, because the
 * pod and image of a container never change.
 */
export class Running {
  readonly #connection: Connection;
  #containers = new Map<string, Belonging>();
  #pods = new Map<string, PodIdentity>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Lists the running containers, of one pod or of all. */
  async update(podSandboxId: string, options: CallOptions): Promise<void> {
    const filter = { id: "", podSandboxId, state: { state: ContainerState.CONTAINER_RUNNING }, labelSelector: {} };
    const containers = await listContainers(this.#connection, filter, options);
    if (containers.some(({ id }) => !this.podOf(id))) await this.#identify(containers, options);
    const ids = new Set(containers.map(({ id }) => id));
    for (const id of this.#containers.keys()) if (!ids.has(id)) this.#containers.delete(id);
  }

  /** Whether a container was running at the last update. */
  has(containerId: string): boolean {
    return this.#containers.has(containerId);
  }

  podOf(containerId: string): PodIdentity | undefined {
    return this.#pods.get(this.#containers.get(containerId)?.podId ?? "");
  }

  imageOf(containerId: string): ImageIdentity | undefined {
    return this.#containers.get(containerId)?.image;
  }

  async #identify(containers: readonly Container[], options: CallOptions): Promise<void> {
    const pods = await listPodSandboxes(this.#connection, undefined, options);
    const images = containers.some((container) => !writtenImage(container)) ? await this.#images(options) : [];
    this.#pods = new Map(pods.map((pod) => [pod.id, podIdentity(pod)]));
    this.#containers = new Map(
      containers.map((container) => {
        const { id, podSandboxId: podId } = container;
        return [id, { podId, image: imageIdentity(container, images) }];
      }),
    );
  }

  /** Names of images are no reason to fail. */
  async #images(options: CallOptions): Promise<Image[]> {
    try {
      return await listImages(this.#connection, undefined, options);
    } catch (error) {
      if (CriError.is(error)) return [];
      throw error;
    }
  }
}

/** Who a pod is, by its stats or its entry in a list. */
export function podIdentity({ id, metadata, labels }: Omit<PodSandboxAttributes, "annotations">): PodIdentity {
  const { name = "", namespace = "", uid = "", attempt = 0 } = metadata ?? {};
  return { id, name, namespace, uid, attempt, labels };
}

const isId = (text: string) => /^(sha256:)?[0-9a-f]{64}$/.test(text);

/** The image as it was asked for; the kubelet asks by id, which is no name for people. */
function writtenImage({ image }: Container): string | undefined {
  const written = image?.userSpecifiedImage || image?.image;
  return written && !isId(written) ? written : undefined;
}

/** Runtimes say by its id or by a digest which image a container was made of, in one field or another. */
function imageIdentity(container: Container, images: readonly Image[]): ImageIdentity {
  const { imageId, imageRef, image } = container;
  const known = [imageId, image?.image ?? "", imageRef].filter((name) => name !== "");
  const found = images.find(({ id, repoDigests }) => known.some((name) => name === id || repoDigests.includes(name)));
  const name = writtenImage(container) ?? found?.repoTags[0] ?? found?.repoDigests[0];
  return { reference: name ?? known.find((name) => !isId(name)), id: found?.id ?? known.find(isId) ?? imageRef };
}
