import type { QuantityManifest, ResourceList } from "../manifest/container.js";

/** Where `describeNode` puts the files of pods, unless the caller chooses another directory. */
export const defaultRootDirectory = "/var/lib/k8s-cri-client";

/** The settings of a node, as a kubelet's configuration has them, and facts about the machine. */
export interface NodeConfig {
  /** Directory for the files of pods: `<rootDirectory>/pods/<uid>`. A kubelet uses `/var/lib/kubelet`. */
  rootDirectory: string;
  /** Directory for the logs of pods: `<podLogsDirectory>/<namespace>_<name>_<uid>`. A kubelet uses `/var/log/pods`. */
  podLogsDirectory: string;
  /** Directory of seccomp profiles for `type: Localhost`. A kubelet uses `<rootDirectory>/seccomp`. */
  seccompDirectory: string;
  nodeName: string;
  /** Addresses of the node: at most one IPv4 and one IPv6 address. */
  addresses: readonly string[];
  /** Capacity of the node. At least `cpu` and `memory`. Huge pages by size: `hugepages-2Mi`. */
  capacity: ResourceList;
  /** What pods can use: the capacity without reservations. */
  allocatable: ResourceList;
  /** Memory in `kubeReserved` and `systemReserved`. MemoryQoS does not let containers without a limit reach it. @defaultValue 0 */
  reservedMemory?: QuantityManifest | undefined;
  /** Cluster DNS servers (`clusterDNS`). Empty: `ClusterFirst` falls back to the node's DNS. */
  clusterDns: readonly string[];
  /** The domain of the cluster (`clusterDomain`), such as `cluster.local`. Empty: none. */
  clusterDomain: string;
  /** The resolver settings of the node, usually from `/etc/resolv.conf`. All empty: pods that use them have no DNS (`resolvConf: ""`). */
  resolver: ResolverConfig;
  cgroupDriver: "cgroupfs" | "systemd";
  cgroupVersion: 1 | 2;
  /** `cgroupsPerQOS`: whether pods have cgroups by QoS class. Without them, the plan has no cgroup parent. */
  cgroupsPerQos: boolean;
  /** The parent of all pods' cgroups (`cgroupRoot`), above `kubepods`. */
  cgroupRoot: string;
  /** Containers without a seccomp profile use the runtime's default profile (`seccompDefault`). */
  seccompDefault: boolean;
  /**
   * The CPUs of all containers, such as `0-3`, if others are reserved. This is the shared pool of a kubelet's static CPU manager; it
   * assigns no CPUs exclusively here. Empty: all CPUs.
   */
  sharedCpus: string;
  /** Whether CPU limits are enforced (`cpuCFSQuota`). */
  cpuCfsQuota: boolean;
  /** Period of CPU limits (`cpuCFSQuotaPeriod`). */
  cpuCfsQuotaPeriodMs: number;
  /** `memorySwap.swapBehavior`. */
  swapBehavior: "NoSwap" | "LimitedSwap";
  /** Whether the cgroups of containers can limit swap: `memory.swap.max`, or `memory.memsw.limit_in_bytes` on cgroup v1. */
  swapController: boolean;
  /** Swap space of the node in bytes. */
  swapCapacityBytes: number;
  /** The MemoryQoS feature: `memory.min`, `memory.low` and `memory.high` on cgroup v2. */
  memoryQos: boolean;
  /** `memoryThrottlingFactor` of MemoryQoS: between 0 and 1. Undefined: no `memory.high`. */
  memoryThrottlingFactor: number | undefined;
  /** `memoryReservationPolicy` of MemoryQoS: whether requests become `memory.min` and `memory.low`. */
  memoryReservationPolicy: "None" | "TieredReservation";
  /** Whether `lifecycle.stopSignal` is sent (the ContainerStopSignals feature). */
  containerStopSignals: boolean;
  /** Whether out-of-memory kills single processes on cgroup v2 (`singleProcessOOMKill`). Undefined: the kubelet's default. */
  singleProcessOomKill: boolean | undefined;
  /** `podPidsLimit`; a limit of the pod's cgroup. -1: none. */
  podPidsLimit: number;
  /** Sizes of huge pages that the machine supports, in bytes. */
  hugePageSizesBytes: readonly number[];
  /** Whether the runtime supports recursive read-only mounts, by runtime handler; `""` is the default handler. */
  recursiveReadOnlyMounts: Readonly<Record<string, boolean>>;
  /** Whether SELinux is enabled: the runtime then relabels the volumes that this package makes. */
  selinuxEnabled: boolean;
  /**
   * Paths that containers cannot read, in addition to those that are always masked. `describeNode` finds the thermal statistics of the
   * machine's CPUs. @defaultValue none
   */
  maskedPaths?: readonly string[] | undefined;
  /** Sysctls beyond the safe ones that pods may set (`allowedUnsafeSysctls`), such as `net.*`. */
  allowedUnsafeSysctls: readonly string[];
  /** First user id for pods in user namespaces; a multiple of 65536. */
  userNamespaceFirstId: number;
  /** How many pods in user namespaces have ids of their own, with 65536 ids each. */
  userNamespaceRanges: number;
  /** Longest delay between restarts of a container, in milliseconds (`crashLoopBackOff.maxContainerRestartPeriod`). */
  maxRestartDelayMs: number;
}

/** The settings in a `resolv.conf`. */
export interface ResolverConfig {
  nameservers: readonly string[];
  searches: readonly string[];
  options: readonly string[];
}
