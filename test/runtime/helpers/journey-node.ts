import { existsSync } from "node:fs";
import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { NodeConfig } from "k8s-cri-client/kubernetes";
import { folder } from "./folder.js";

/** The settings of a node whose directories are in a temporary folder. */
export interface JourneyNode extends AsyncDisposable {
  config: NodeConfig;
  /** A folder of the node for `hostPath` volumes. */
  shared: string;
}

/** Creates a node for the pods of one journey. Its settings are fixed, so that a journey can state what a container must see. */
export async function journeyNode(changes: Partial<NodeConfig> = {}): Promise<JourneyNode> {
  const at = await folder();
  const root = await realpath(at.path);
  const shared = join(root, "shared");
  await mkdir(shared);
  return {
    shared,
    [Symbol.asyncDispose]: () => at[Symbol.asyncDispose](),
    config: {
      rootDirectory: join(root, "pods"),
      podLogsDirectory: join(root, "logs"),
      seccompDirectory: join(root, "seccomp"),
      nodeName: "node1",
      addresses: ["192.0.2.10"],
      capacity: { cpu: 2, memory: "8Gi" },
      allocatable: { cpu: 2, memory: "8Gi" },
      clusterDns: ["10.96.0.10"],
      clusterDomain: "cluster.local",
      resolver: { nameservers: ["192.0.2.53"], searches: ["corp.example"], options: [] },
      cgroupDriver: "cgroupfs",
      cgroupVersion: existsSync("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1,
      cgroupsPerQos: true,
      cgroupRoot: "/",
      seccompDefault: false,
      cpuCfsQuota: true,
      cpuCfsQuotaPeriodMs: 100,
      sharedCpus: "",
      swapBehavior: "NoSwap",
      swapController: false,
      swapCapacityBytes: 0,
      memoryQos: false,
      memoryThrottlingFactor: undefined,
      memoryReservationPolicy: "None",
      containerStopSignals: false,
      singleProcessOomKill: undefined,
      podPidsLimit: 200,
      hugePageSizesBytes: [],
      recursiveReadOnlyMounts: {},
      selinuxEnabled: false,
      allowedUnsafeSysctls: [],
      userNamespaceFirstId: 65_536,
      userNamespaceRanges: 110,
      maxRestartDelayMs: 1_000,
      ...changes,
    },
  };
}
