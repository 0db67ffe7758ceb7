import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { CriClient } from "../../../src/index.js";
import {
  type NodeConfig,
  type PodManifestSpec,
  type PodPlan,
  planPod,
  type RunningPod,
  readManifests,
} from "../../../src/kubernetes/index.js";
import type { FakeRuntime, FakeRuntimeOptions } from "../../../src/testing/index.js";
import { startFake } from "../support.js";

/** A node whose directories are temporary and whose restarts are not delayed. */
export async function temporaryNode(changes: Partial<NodeConfig> = {}): Promise<NodeConfig> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "pods-")));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return {
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
    cgroupVersion: 2,
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
}

/** A manifest whose name does not matter. */
export function podOf(spec: PodManifestSpec, name = "web"): object {
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
}

/** What a test of a running pod needs. */
export interface Started {
  runtime: FakeRuntime;
  cri: CriClient;
  node: NodeConfig;
  plan: PodPlan;
  pod: RunningPod;
}

/** Runs a pod on a fake runtime. It is removed after the test. */
export async function startPod(
  spec: PodManifestSpec,
  { fake = {}, node: changes = {} }: { fake?: FakeRuntimeOptions; node?: Partial<NodeConfig> } = {},
): Promise<Started> {
  const { runtime, cri } = await startFake(fake);
  const node = await temporaryNode(changes);
  const plan = planOf(spec, node);
  const pod = await plan.run(cri);
  onTestFinished(() => pod.dispose());
  return { runtime, cri, node, plan, pod };
}

/** Plans a pod. */
export function planOf(spec: PodManifestSpec, node: NodeConfig, name?: string): PodPlan {
  const [manifest] = readManifests(podOf(spec, name)).pods;
  return planPod(manifest!, { node });
}
