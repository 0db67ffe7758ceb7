import { callOptionFields, checkOptions } from "../../input/call-options.js";
import { toDate } from "../../internal/time.js";
import type { CallOptions } from "../../options.js";
import type { Container, ContainerStats, FilesystemUsage, Image, PodSandbox } from "../../proto.js";
import { pinDeadline } from "../../rpcs/budget.js";
import { imageFsInfo } from "../../rpcs/images.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import { listContainerStats } from "../../rpcs/stats.js";
import { locate, split } from "../../specs/image-reference.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { type ContainerStateName, containerStateName } from "../container-filter.js";
import { listUsedImages, type NodeImages } from "../pruning/used-images.js";
import { type FilesystemFigures, filesystemFigures } from "./figures.js";
import { type PodIdentity, podIdentity } from "./running-containers.js";

/** How much disk space images and containers use. */
export interface DiskUsage {
  /** The file systems that store images. */
  readonly imageFilesystems: readonly DiskFilesystem[];
  /** The file systems that store the writable layers of containers. Since Kubernetes 1.29; empty on older runtimes. */
  readonly containerFilesystems: readonly DiskFilesystem[];
  /** The images, the largest first. */
  readonly images: readonly ImageDiskUsage[];
  /** The containers, running or not, with the largest writable layer first. */
  readonly containers: readonly ContainerDiskUsage[];
  /** The repositories that have several images on the node, such as versions of one program, the largest first. */
  readonly repositories: readonly RepositoryDiskUsage[];
  /**
   * The sum of the sizes of the images that `images.prune({ minAgeMs: 0 })` would remove. The removal may free less, because other
   * images may share layers, and more on containerd, which reports compressed sizes.
   */
  readonly reclaimableBytes: number;
}

/** A file system that stores images or writable layers. */
export interface DiskFilesystem extends FilesystemFigures {
  /** When the runtime measured. containerd measures every 10 seconds. */
  readonly measuredAt: Date | undefined;
}

/** The disk usage of an image. */
export interface ImageDiskUsage {
  readonly image: Image;
  /** The size of the image, including layers that it shares with other images. containerd reports the compressed size. */
  readonly sizeBytes: number;
  /** The ids of the containers that use the image, running or not. */
  readonly containers: readonly string[];
  /** Whether no tag leads to the image, for example because a newer image has its tag. */
  readonly isDangling: boolean;
  /** Whether neither a container nor the pod sandboxes use the image, and it is not pinned. */
  readonly isReclaimable: boolean;
}

/** The disk usage of a container. Volumes and logs are not included. */
export interface ContainerDiskUsage {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerStateName;
  /** `undefined` if the runtime does not list the pod any more. */
  readonly pod: PodIdentity | undefined;
  /** The data that the container has written to its own layer; `undefined` if the runtime does not report it. */
  readonly writableLayer: FilesystemFigures | undefined;
}

/** The images of a repository. */
export interface RepositoryDiskUsage {
  /** The repository with its registry, such as `docker.io/library/busybox`. */
  readonly repository: string;
  /** The images, the largest first. */
  readonly images: readonly Image[];
  /** The sum of the sizes of the images, which may share layers. */
  readonly sizeBytes: number;
}

/** Reports the disk usage of images and containers. */
export const reportDiskUsage = asWorkflow({ name: "stats.diskUsage" }, measureDiskUsage);

async function measureDiskUsage(connection: Connection, options: CallOptions = {}): Promise<DiskUsage> {
  checkOptions(options, callOptionFields);
  const pinned = pinDeadline(options);
  const allStats = { id: "", podSandboxId: "", labelSelector: {} };
  const [filesystems, node, pods, stats] = await Promise.all([
    imageFsInfo(connection, pinned),
    listUsedImages(connection, pinned),
    listPodSandboxes(connection, undefined, pinned),
    listContainerStats(connection, allStats, pinned),
  ]);
  const images = node.images.map((image) => imageUsage(image, node)).sort((a, b) => b.sizeBytes - a.sizeBytes);
  return {
    imageFilesystems: filesystems.imageFilesystems.map(filesystem),
    containerFilesystems: filesystems.containerFilesystems.map(filesystem),
    images,
    containers: containerUsage(node.containers, pods, stats),
    repositories: repositoryUsage(images),
    reclaimableBytes: images
      .filter(({ isReclaimable }) => isReclaimable)
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

function filesystem(usage: FilesystemUsage): DiskFilesystem {
  const { mountpoint, usedBytes, inodesUsed } = filesystemFigures(usage) ?? {};
  return { mountpoint, usedBytes, inodesUsed, measuredAt: toDate(usage.timestamp) };
}

function imageUsage(image: Image, node: NodeImages): ImageDiskUsage {
  return {
    image,
    sizeBytes: image.size.toNumber(),
    containers: node.containersOf(image).map(({ id }) => id),
    isDangling: image.repoTags.every((tag) => tag === "<none>:<none>"),
    isReclaimable: !image.pinned && node.userOf(image) === undefined,
  };
}

function containerUsage(
  containers: readonly Container[],
  pods: readonly PodSandbox[],
  stats: readonly ContainerStats[],
): ContainerDiskUsage[] {
  const podsById = new Map(pods.map((pod) => [pod.id, podIdentity(pod)]));
  const layers = new Map(
    stats.map(({ attributes, writableLayer }) => [attributes?.id, filesystemFigures(writableLayer)]),
  );
  return containers
    .map(({ id, metadata, state, podSandboxId }) => ({
      id,
      name: metadata?.name ?? "",
      attempt: metadata?.attempt ?? 0,
      state: containerStateName(state),
      pod: podsById.get(podSandboxId),
      writableLayer: layers.get(id),
    }))
    .sort((a, b) => (b.writableLayer?.usedBytes ?? -1) - (a.writableLayer?.usedBytes ?? -1));
}

/** Groups images by the repositories of their tags and digests. */
function repositoryUsage(images: readonly ImageDiskUsage[]): RepositoryDiskUsage[] {
  const byRepository = new Map<string, ImageDiskUsage[]>();
  for (const usage of images) {
    for (const repository of repositoriesOf(usage.image)) {
      byRepository.set(repository, [...(byRepository.get(repository) ?? []), usage]);
    }
  }
  return [...byRepository]
    .filter(([, usages]) => usages.length > 1)
    .map(([repository, usages]) => ({
      repository,
      images: usages.map(({ image }) => image),
      sizeBytes: usages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
}

function repositoriesOf({ repoTags, repoDigests }: Image): Set<string> {
  const names = [...repoTags, ...repoDigests].map((reference) => split(reference).name);
  const located = names.filter((name) => name !== "<none>").map((name) => locate(name));
  return new Set(located.map(({ registry, repository }) => `${registry}/${repository}`));
}
