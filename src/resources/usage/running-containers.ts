import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { type Container, ContainerState, type Image, type PodSandboxAttributes } from "../../proto.js";
import { listContainers } from "../../rpcs/containers.js";
import { listImages } from "../../rpcs/images.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";

/** Identifies the pod of a container. */
export interface PodIdentity {
  /** The pod sandbox id. */
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Identifies the image of a container. */
export interface ImageIdentity {
  /** The reference that the container was created with, else a tag or digest; `undefined` for an image without a name. */
  readonly reference: string | undefined;
  /** The runtime's own identifier: an id, or on older CRI-O a digest. */
  readonly id: string;
}

/** The pod and image of a container, which its stats do not include. */
interface ContainerDetails {
  readonly podId: string;
  readonly image: ImageIdentity;
}

/**
 * Lists the running containers, with their pods and images. Pods and images are listed only after a new container appears, because
 * the pod and image of a container never change.
 */
export class RunningContainers {
  readonly #connection: Connection;
  #containers = new Map<string, ContainerDetails>();
  #pods = new Map<string, PodIdentity>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Lists the running containers of one pod; of all pods if the id is empty. */
  async update(podSandboxId: string, options: CallOptions): Promise<void> {
    const filter = { id: "", podSandboxId, state: { state: ContainerState.CONTAINER_RUNNING }, labelSelector: {} };
    const containers = await listContainers(this.#connection, filter, options);
    if (containers.some(({ id }) => !this.podOf(id))) await this.#listDetails(containers, options);
    const ids = new Set(containers.map(({ id }) => id));
    for (const id of this.#containers.keys()) if (!ids.has(id)) this.#containers.delete(id);
  }

  /** Returns whether a container was running at the last update. */
  has(containerId: string): boolean {
    return this.#containers.has(containerId);
  }

  podOf(containerId: string): PodIdentity | undefined {
    return this.#pods.get(this.#containers.get(containerId)?.podId ?? "");
  }

  imageOf(containerId: string): ImageIdentity | undefined {
    return this.#containers.get(containerId)?.image;
  }

  async #listDetails(containers: readonly Container[], options: CallOptions): Promise<void> {
    const pods = await listPodSandboxes(this.#connection, undefined, options);
    const images = containers.some((container) => !specifiedImage(container)) ? await this.#listImages(options) : [];
    this.#pods = new Map(pods.map((pod) => [pod.id, podIdentity(pod)]));
    this.#containers = new Map(
      containers.map((container) => {
        const { id, podSandboxId: podId } = container;
        return [id, { podId, image: imageIdentity(container, images) }];
      }),
    );
  }

  /** Lists the images. If that fails, containers are reported without the names of their images. */
  async #listImages(options: CallOptions): Promise<Image[]> {
    try {
      return await listImages(this.#connection, undefined, options);
    } catch (error) {
      if (CriError.is(error)) return [];
      throw error;
    }
  }
}

/** Reads the identity of a pod from its stats or its entry in a list. */
export function podIdentity({ id, metadata, labels }: Omit<PodSandboxAttributes, "annotations">): PodIdentity {
  const { name = "", namespace = "", uid = "", attempt = 0 } = metadata ?? {};
  return { id, name, namespace, uid, attempt, labels };
}

const isId = (name: string) => /^(sha256:)?[0-9a-f]{64}$/.test(name);

/** Returns the image reference that the container was created with, unless that is an id, as it is from a kubelet. */
function specifiedImage({ image }: Container): string | undefined {
  const specified = image?.userSpecifiedImage || image?.image;
  return specified && !isId(specified) ? specified : undefined;
}

/** Finds the image of a container. Runtimes identify it by id or by digest, in different fields. */
function imageIdentity(container: Container, images: readonly Image[]): ImageIdentity {
  const { imageId, imageRef, image } = container;
  const known = [imageId, image?.image ?? "", imageRef].filter((name) => name !== "");
  const found = images.find(({ id, repoDigests }) => known.some((name) => name === id || repoDigests.includes(name)));
  const name = specifiedImage(container) ?? found?.repoTags[0] ?? found?.repoDigests[0];
  return { reference: name ?? known.find((name) => !isId(name)), id: found?.id ?? known.find(isId) ?? imageRef };
}
