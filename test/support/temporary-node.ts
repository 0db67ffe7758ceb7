import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeConfig } from "../../src/kubernetes/index.js";

/** The settings of a node for tests, whose directories are temporary. */
export interface TemporaryNode extends AsyncDisposable {
  node: NodeConfig;
}

/** Returns a node whose restarts are hardly delayed. Disposing of it removes its directories. */
export async function temporaryNode(changes: Partial<NodeConfig> = {}): Promise<TemporaryNode> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "pods-")));
  const node: NodeConfig = {
    rootDirectory: join(root, "kubelet"),
    podLogsDirectory: join(root, "logs"),
    seccompDirectory: join(root, "seccomp"),
    nodeName: "node1",
    addresses: ["192.0.2.10"],
    capacity: { cpu: 2, memory: "4Gi" },
    allocatable: { cpu: 2, memory: "4Gi" },
    clusterDns: [],
    clusterDomain: "cluster.local",
    resolver: { nameservers: ["192.0.2.53"], searches: [], options: [] },
    cgroupDriver: "cgroupfs",
    cgroupVersion: existsSync("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1,
    cgroupsPerQos: false,
    cgroupRoot: "/",
    seccompDefault: false,
    cpuCfsQuota: true,
    cpuCfsQuotaPeriodMs: 100,
    sharedCpus: "0-1",
    swapBehavior: "NoSwap",
    swapController: false,
    swapCapacityBytes: 0,
    memoryQos: false,
    memoryThrottlingFactor: undefined,
    memoryReservationPolicy: "None",
    containerStopSignals: false,
    singleProcessOomKill: undefined,
    podPidsLimit: -1,
    hugePageSizesBytes: [],
    recursiveReadOnlyMounts: {},
    selinuxEnabled: false,
    allowedUnsafeSysctls: [],
    userNamespaceFirstId: 65536,
    userNamespaceRanges: 110,
    maxRestartDelayMs: 5,
    ...changes,
  };
  return { node, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}
