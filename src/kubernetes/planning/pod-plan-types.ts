import type {
  ContainerConfig,
  CreateContainerRequest,
  PodSandboxConfig,
  PullImageRequest,
  RunPodSandboxRequest,
} from "../../proto.js";
import type { HookManifest, ProbeManifest, RestartRuleManifest } from "../manifest/container.js";
import type { PodManifest, RestartPolicyName } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";

/** What only the running pod knows and its containers' configurations contain. */
export interface PodFacts {
  podSandboxId: string;
  /** Addresses of the pod, the first one first. With `hostNetwork`, the node's. */
  podIPs: readonly string[];
}

/** What only the pulled image says and a container's configuration contains. */
export interface ImageFacts {
  /** The image's id, as the runtime reports it. */
  id: string;
  /** The image's numeric user. */
  uid?: bigint | undefined;
  /** The image's user by name. At most one of `uid` and `username` is set; without both, the image runs as root. */
  username?: string | undefined;
}

/** What a container's configuration contains beyond the plan. */
export interface ContainerFacts extends PodFacts {
  /** The number of earlier attempts of this container. */
  attempt: number;
  image: ImageFacts;
  /** Ids of the images of image volumes, by their {@link ImagePlan.reference}. */
  imageVolumes: Readonly<Record<string, string>>;
}

/** An image that the pod needs. */
export interface ImagePlan {
  /** The image to pull. A reference without tag and digest has got the tag `latest`. */
  reference: string;
  pullPolicy: "Always" | "IfNotPresent" | "Never";
}

/** How one container is created and cared for. */
export interface ContainerPlan {
  name: string;
  kind: "init" | "sidecar" | "main";
  image: ImagePlan;
  /** The effective policy: the container's own or the pod's. */
  restartPolicy: RestartPolicyName;
  restartPolicyRules: readonly RestartRuleManifest[];
  /** The path on the node of the termination message of an attempt; undefined if the container has none. */
  terminationMessagePath(attempt: number): string | undefined;
  terminationMessagePolicy: "File" | "FallbackToLogsOnError";
  /** With defaults filled in, and `$(VAR)` in exec commands left as they are: `expand` replaces them. */
  startupProbe?: ProbeManifest | undefined;
  livenessProbe?: ProbeManifest | undefined;
  readinessProbe?: ProbeManifest | undefined;
  postStart?: HookManifest | undefined;
  preStop?: HookManifest | undefined;
  /** Ports by name, for probes and hooks that name one. */
  ports: Readonly<Record<string, number>>;
  /** Fails if the image's user may not run this container (`runAsNonRoot`). */
  checkUser(image: ImageFacts): void;
  /** The configuration of one attempt. */
  config(facts: ContainerFacts): ContainerConfig;
  /** Expands `$(VAR)` in the command of an exec probe, with the variables of the container's configuration. */
  expand(command: readonly string[], facts: ContainerFacts): readonly string[];
}

/** A file of a volume. */
export interface FilePlan {
  /** Relative to the volume. */
  path: string;
  /** Not enumerable, so that it is never printed: it may be secret. */
  content: Uint8Array;
  mode: number;
  /** The owner, if a container must be able to read the file: service account tokens. */
  uid?: number | undefined;
}

/** The hosts file of a pod. Its content is `head`, then the node's own file if `nodeHosts`, then `tail`. */
export interface HostsFilePlan {
  /** `<pod>/etc-hosts`; mode 0644. */
  path: string;
  head: string;
  /** With `hostNetwork`: the content of the node's `/etc/hosts`. */
  nodeHosts: boolean;
  tail: string;
}

/**
 * One volume on the node's disk.
 *
 * `fsGroup` is the group of the volume and of all its files. A kubelet sets it at each start (`fsGroupChangePolicy` has no effect
 * on these kinds) and adds permissions: group read and write for `emptyDir`, group read for `files`, and for directories also
 * group execute and the set-group-ID bit.
 */
export type VolumePlan =
  | {
      kind: "emptyDir";
      name: string;
      path: string;
      /** `disk` is a directory; `memory` a tmpfs; `hugePages` a hugetlbfs. */
      medium: "disk" | "memory" | "hugePages";
      /** The size of a tmpfs: the smallest of `sizeLimit`, the pod's memory limit and the node's memory. For a disk: `sizeLimit`. */
      sizeLimitBytes?: bigint | undefined;
      /** The page size of a hugetlbfs. */
      pageSizeBytes?: bigint | undefined;
      fsGroup?: number | undefined;
    }
  | { kind: "hostPath"; name: string; path: string; type: string }
  | {
      /** ConfigMap, Secret, downward API or projected: files of ours, replaced at once as a kubelet does (`..data`). */
      kind: "files";
      source: "configMap" | "secret" | "downwardAPI" | "projected";
      name: string;
      path: string;
      files: readonly FilePlan[];
      fsGroup?: number | undefined;
    }
  | { kind: "image"; name: string; image: ImagePlan };

/** A sub-path of a volume that is mounted at a path of its own on the node before a container is created. */
export interface SubPathPlan {
  container: string;
  /** Path of the volume on the node. */
  volumePath: string;
  /** The path below the volume. If it is missing, it becomes a directory. */
  subPath: string;
  /** Where it is mounted: `<pod>/volume-subpaths/<volume>/<container>/<index>`. */
  path: string;
}

/**
 * The cgroup of a pod, in which the runtime creates those of its containers. CRI does not transmit its limits: a kubelet writes
 * them before it creates the sandbox. They come from the requests and limits of all containers and the overhead.
 */
export interface PodCgroupPlan {
  /** The sandbox's `cgroupParent`. */
  path: string;
  driver: "cgroupfs" | "systemd";
  /** From the pod's CPU request; 2 for BestEffort. */
  cpuShares: bigint;
  /** Only if all containers, or the pod, have a CPU limit. Undefined: no limit. */
  cpuQuotaUs?: bigint | undefined;
  cpuPeriodUs?: bigint | undefined;
  /** Only if all containers, or the pod, have a memory limit. Undefined: no limit. */
  memoryLimitBytes?: bigint | undefined;
  /** By page size, such as `2MB`. Other sizes are limited to 0. */
  hugePageLimits: Readonly<Record<string, bigint>>;
  /** `podPidsLimit`. Undefined: no limit. */
  pidsLimit?: number | undefined;
  /** Further files of cgroup v2, such as `memory.min`. */
  unified: Readonly<Record<string, string>>;
}

/** A pod as this package will run it. Pure: reading it does no I/O. */
export interface PodPlanParts {
  /** The manifest with its defaults. */
  pod: PodManifest;
  /** The settings of the node that the pod was planned for. */
  node: NodeConfig;
  uid: string;
  /** The hash of the document; another hash means another pod. */
  hash: string;
  qosClass: "Guaranteed" | "Burstable" | "BestEffort";
  /** `<rootDirectory>/pods/<uid>`. */
  podDirectory: string;
  logDirectory: string;
  /** Undefined without `cgroupsPerQos`: the runtime chooses the cgroups of the containers. */
  cgroup: PodCgroupPlan | undefined;
  runtimeHandler: string;
  terminationGracePeriodSeconds: number;
  activeDeadlineSeconds: number | undefined;
  hostNetwork: boolean;
  /** Init containers and sidecars in their order, then the main containers. */
  containers: readonly ContainerPlan[];
  volumes: readonly VolumePlan[];
  subPaths(container: string, facts: ContainerFacts): readonly SubPathPlan[];
  /** The hosts file of the pod; undefined if the containers use their own. */
  hostsFile(podIPs: readonly string[]): HostsFilePlan | undefined;
  /** Pull secrets of the pod and its service account, as objects. Never printed. */
  pullSecrets: readonly PullSecret[];
  /** The pod's sandbox. Its labels and its annotation `podHashAnnotation` find it later. */
  sandbox(attempt: number): RunPodSandboxRequest;
  /** The request of a kubelet, without credentials. */
  pullImage(image: ImagePlan, sandbox: PodSandboxConfig): PullImageRequest;
  createContainer(container: ContainerPlan, facts: ContainerFacts, sandbox: PodSandboxConfig): CreateContainerRequest;
}

/** A pull secret: its type and its decoded document. */
export interface PullSecret {
  name: string;
  type: "kubernetes.io/dockerconfigjson" | "kubernetes.io/dockercfg";
  document: string;
}
