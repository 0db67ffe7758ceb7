import { existsSync } from "node:fs";
import { dirname, isAbsolute, posix } from "node:path";
import {
  type Container,
  type ContainerConfig,
  type ContainerFilter,
  type ContainerMetadata,
  ContainerState,
  ContainerStatus,
  type LinuxContainerResources,
  type LinuxContainerUser,
  SupplementalGroupsPolicy,
  type WindowsContainerResources,
} from "../../proto.js";
import type { ContainerProcess } from "../backend/backend.js";
import type { FlavorProfile } from "../flavors/profile.js";
import type { ContainerOutput } from "../output/container-output.js";
import { toLong } from "./clock.js";
import { IdMap, matchesLabels } from "./ids.js";
import type { ImageRecord } from "./images.js";
import { imageRefOf } from "./images.js";
import { nameParseError } from "./names.js";
import type { PodRecord } from "./pods.js";

/** The state of a container. */
export interface ContainerRecord {
  readonly id: string;
  /** The name that is reserved for this container. */
  readonly name: string;
  readonly pod: PodRecord;
  readonly metadata: ContainerMetadata;
  readonly config: ContainerConfig;
  readonly image: ImageRecord;
  readonly command: readonly string[];
  readonly logDirectory: string;
  readonly logPath: string;
  readonly createdAt: bigint;
  state: ContainerState;
  startedAt: bigint;
  finishedAt: bigint;
  exitCode: number;
  reason: string;
  message: string;
  linux: LinuxContainerResources | undefined;
  windows: WindowsContainerResources | undefined;
  annotations: { [key: string]: string };
  /** Set while the container runs. */
  process: ContainerProcess | undefined;
  /** Set when the container has started. */
  output: ContainerOutput | undefined;
  /** Resolves when the process has ended and its end is recorded. */
  ended: Promise<void> | undefined;
  /** Whether a StartContainer is in progress. */
  starting: boolean;
}

/** The containers of a runtime. */
export class ContainerStore extends IdMap<ContainerRecord> {
  ofPod(pod: PodRecord): ContainerRecord[] {
    return this.all.filter((container) => container.pod === pod);
  }

  /** Removes a container if it does not run, without an event. Returns whether it was removed. */
  removeIdle(id: string): boolean {
    const container = this.all.find((each) => each.id === id);
    if (!container || container.state === ContainerState.CONTAINER_RUNNING) return false;
    this.delete(container);
    return true;
  }

  list(filter: ContainerFilter | undefined, completePodId: (id: string) => string): ContainerRecord[] {
    const id = filter?.id ? this.complete(filter.id) : undefined;
    const podId = filter?.podSandboxId ? completePodId(filter.podSandboxId) : undefined;
    return this.all.filter(
      (container) =>
        (id === undefined || container.id === id) &&
        (podId === undefined || container.pod.id === podId) &&
        (filter?.state === undefined || container.state === filter.state.state) &&
        nameParseError("container", container.name, this.flavor) === undefined &&
        matchesLabels(container.config.labels, filter?.labelSelector),
    );
  }

  /** Converts a container to its message in a list. */
  toContainer(container: ContainerRecord): Container {
    return {
      id: container.id,
      podSandboxId: container.pod.id,
      metadata: container.metadata,
      image: container.config.image,
      imageRef: `${this.flavor.imageRefPrefix}${imageRefOf(container.image)}`,
      state: container.state,
      createdAt: toLong(container.createdAt),
      labels: container.config.labels,
      annotations: container.annotations,
      imageId: this.flavor.reportsImageId ? container.image.id : "",
    };
  }

  /** Converts a container to its status. */
  toStatus(container: ContainerRecord): ContainerStatus {
    const { config } = container;
    return ContainerStatus.fromPartial({
      ...this.toContainer(container),
      startedAt: toLong(container.startedAt),
      finishedAt: toLong(container.finishedAt),
      exitCode: container.exitCode,
      // Runtimes report the image's own name, not the one in the request.
      image: { ...config.image, image: container.image.tags[0] ?? config.image?.image ?? "", userSpecifiedImage: "" },
      reason: container.reason,
      message: container.message,
      mounts: config.mounts,
      logPath: container.logPath,
      resources: { linux: container.linux ?? {}, ...(container.windows && { windows: container.windows }) },
      // containerd before 2.2 lacks the field, and so does cri-dockerd.
      stopSignal: this.flavor.family === "cri-o" ? config.stopSignal : 0,
      ...(this.flavor.reportsUser && { user: { linux: userOf(config, container.image) } }),
    });
  }
}

/**
 * Returns the identity of a container's first process. The image's groups apply to the image's own user, unless the policy is
 * Strict.
 */
function userOf(config: ContainerConfig, image: ImageRecord): Parameters<typeof LinuxContainerUser.fromPartial>[0] {
  const security = config.linux?.securityContext;
  const { runAsUser, runAsGroup, supplementalGroups = [] } = security ?? {};
  const usesImageUser = !runAsUser && !security?.runAsUsername;
  const uid = runAsUser?.value ?? (typeof image.user === "number" ? image.user : 0);
  const gid = runAsGroup?.value ?? (usesImageUser ? image.gid : 0);
  const isStrict = security?.supplementalGroupsPolicy === SupplementalGroupsPolicy.Strict;
  const groups = [gid, ...supplementalGroups, ...(usesImageUser && !isStrict ? image.groups : [])].map(Number);
  return { uid, gid, supplementalGroups: [...new Set(groups)].sort((one, other) => one - other) };
}

/**
 * Returns the path of a container's log: the log directory joined with the container's path. On Docker, the path is relative if
 * there is no directory. A runtime with its own log directory also writes a log for containers without a path.
 */
export function logPathOf(
  { id, logDirectory, config }: Pick<ContainerRecord, "id" | "logDirectory" | "config">,
  { logFormat, ownLogDirectory }: FlavorProfile,
): string {
  const file = config.logPath || (ownLogDirectory === undefined ? "" : `${id}.log`);
  return file && (logDirectory || logFormat === "docker") ? posix.join(logDirectory, file) : "";
}

/**
 * Returns whether the directory of a container's log is missing.
 *
 * @param includesPodDirectory whether the pod's own log directory counts, too; false if the runtime creates it
 */
export function lacksLogDirectory({ logDirectory, logPath }: ContainerRecord, includesPodDirectory: boolean): boolean {
  const directory = dirname(logPath);
  return (
    isAbsolute(logPath) &&
    !existsSync(directory) &&
    (includesPodDirectory || directory !== posix.normalize(logDirectory))
  );
}
