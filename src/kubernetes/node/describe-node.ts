import type { CriClient } from "../../client.js";
import { checkOnlyCallOptions } from "../../input/call-options.js";
import type { CallOptions } from "../../options.js";
import { allocatableOf, reservedOf } from "./allocatable.js";
import { diskStep } from "./disk-error.js";
import { readMachine } from "./machine.js";
import { defaultRootDirectory, type NodeConfig } from "./node-config.js";
import { checkNodeOverrides, type NodeOverrides } from "./node-overrides.js";
import { readResolverConfig } from "./resolver-config.js";
import { askRuntime } from "./runtime-settings.js";

/**
 * Describes the node for `planPod`: asks the runtime for its cgroup driver and features, reads capacity, addresses and resolver of this
 * machine, and fills in the defaults of a kubelet. The runtime must be on this machine.
 *
 * These defaults differ from a kubelet's: `rootDirectory` is `/var/lib/k8s-cri-client` and `cgroupRoot` is `/k8s-cri-client`, because
 * a kubelet removes pods that it does not know from its own directory and cgroups.
 *
 * ```ts
 * const node = await describeNode(cri, { clusterDns: ["10.96.0.10"], clusterDomain: "cluster.local" });
 * ```
 *
 * Sources: Status, RuntimeConfig (since Kubernetes 1.28), `/proc`, `/sys`, `/etc/resolv.conf`.
 *
 * @param overrides settings that replace those that are found, such as those of {@link fromKubeletConfiguration}
 * @throws InvalidInputError for an invalid override or option, CriError if the runtime or a file cannot be read
 */
export async function describeNode(
  cri: CriClient,
  overrides: NodeOverrides = {},
  options?: CallOptions,
): Promise<NodeConfig> {
  checkOnlyCallOptions(options);
  const { kubeReserved, systemReserved, evictionHard, resolvConf, ...given } = checkNodeOverrides(
    overrides,
    "overrides",
  );
  const rootDirectory = given.rootDirectory ?? defaultRootDirectory;
  const runtime = await askRuntime(cri, options);
  const machine = await readMachine(rootDirectory);
  const resolver =
    given.resolver ?? (await diskStep("the node's resolver settings", () => readResolverConfig(resolvConf)));
  const capacity = given.capacity ?? machine.capacity;
  const found: NodeConfig = {
    ...defaults,
    ...machine,
    ...runtime,
    rootDirectory,
    resolver,
    capacity,
    allocatable: allocatableOf(capacity, { kubeReserved, systemReserved, evictionHard }),
    reservedMemory: String(reservedOf({ kubeReserved, systemReserved }).get("memory") ?? 0n),
  };
  return { ...found, ...(given as Partial<NodeConfig>) };
}

/** The settings that neither the runtime nor the machine has. They are those of a kubelet, except for the cgroup root. */
const defaults = {
  podLogsDirectory: "/var/log/pods",
  // Profiles are installed there for kubelets. This package only names them.
  seccompDirectory: "/var/lib/kubelet/seccomp",
  clusterDns: [],
  clusterDomain: "",
  cgroupsPerQos: true,
  cgroupRoot: "/k8s-cri-client",
  seccompDefault: false,
  sharedCpus: "",
  cpuCfsQuota: true,
  cpuCfsQuotaPeriodMs: 100,
  swapBehavior: "NoSwap",
  memoryQos: false,
  memoryThrottlingFactor: 0.9,
  memoryReservationPolicy: "None",
  containerStopSignals: false,
  singleProcessOomKill: undefined,
  podPidsLimit: -1,
  allowedUnsafeSysctls: [],
  // The kubelet's range without /etc/subuid: everything above the ids of the node itself.
  userNamespaceFirstId: 65_536,
  userNamespaceRanges: 65_535,
  maxRestartDelayMs: 300_000,
} as const satisfies Partial<NodeConfig>;
