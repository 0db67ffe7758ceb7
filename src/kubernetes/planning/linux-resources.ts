import { type HugepageLimit, LinuxContainerResources, Long } from "../../proto.js";
import { wholeUnits } from "../../specs/quantity.js";
import { clamp, int64 } from "../../specs/resources.js";
import type { ContainerManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";
import type { Amounts } from "./amounts.js";
import { memoryQosFiles } from "./memory-qos.js";
import { oomScoreAdj } from "./oom-score.js";
import type { PodResources } from "./pod-resources.js";
import type { QosClass } from "./qos-class.js";
import { applySwapLimit } from "./swap.js";

/** What the resources of all containers of a pod depend on. */
export interface ResourceContext {
  pod: PodManifest;
  node: NodeConfig;
  resources: PodResources;
  qosClass: QosClass;
}

/** Returns the resources of a container, as a kubelet sends them. */
export function containerResources(context: ResourceContext, container: ContainerManifest): LinuxContainerResources {
  const { pod, node, resources, qosClass } = context;
  const { requests, limits } = resources.containers.get(container.name)!;
  const message = cpuAndMemory(node, {
    cpuRequest: requests.get("cpu"),
    cpuLimit: limitOf(limits, resources, "cpu"),
    memoryLimit: limitOf(limits, resources, "memory"),
  });
  const capacity = wholeUnits(node.capacity.memory ?? 0, "node.capacity.memory");
  message.oomScoreAdj = int64(oomScoreAdj(pod, container, resources, qosClass, capacity));
  message.cpusetCpus = node.sharedCpus;
  // A container without a limit of its own for a page size has the pod's, as for CPU and memory. Since Kubernetes 1.34.
  message.hugepageLimits = hugepageLimits(new Map([...(resources.own?.limits ?? []), ...limits]), node);
  applySwapLimit(message, context, { requests, limits }, capacity);
  Object.assign(message.unified, memoryQosFiles(context, { requests, limits }));
  return message;
}

/** Returns the resources of the whole pod, without overhead, for runtimes that start a virtual machine. */
export function sandboxResources({ node, resources }: ResourceContext): LinuxContainerResources {
  const { requests, limits } = resources;
  return cpuAndMemory(node, {
    cpuRequest: requests.get("cpu"),
    cpuLimit: limits.get("cpu") ?? 0n,
    memoryLimit: limits.get("memory") ?? 0n,
  });
}

/** Returns the overhead of the pod, which is both request and limit. Empty if it has none. */
export function sandboxOverhead({ node, resources: { overhead } }: ResourceContext): LinuxContainerResources {
  if (overhead === undefined) return LinuxContainerResources.create();
  const cpu = overhead.get("cpu") ?? 0n;
  return cpuAndMemory(node, { cpuRequest: cpu, cpuLimit: cpu, memoryLimit: overhead.get("memory") ?? 0n });
}

/** A container without a limit of its own is limited by that of its pod. */
function limitOf(limits: Amounts, { own }: PodResources, name: "cpu" | "memory"): bigint {
  const limit = limits.get(name) ?? 0n;
  return limit === 0n ? (own?.limits.get(name) ?? 0n) : limit;
}

function cpuAndMemory(
  node: NodeConfig,
  amounts: { cpuRequest: bigint | undefined; cpuLimit: bigint; memoryLimit: bigint },
): LinuxContainerResources {
  const { cpuRequest, cpuLimit, memoryLimit } = amounts;
  const period = BigInt(Math.round(node.cpuCfsQuotaPeriodMs * 1000));
  const quota = (cpuLimit * period) / 1000n;
  return LinuxContainerResources.create({
    cpuShares: int64(clamp(((cpuRequest ?? cpuLimit) * 1024n) / 1000n, 2n, 262_144n)),
    memoryLimitInBytes: int64(memoryLimit),
    ...(node.cpuCfsQuota && {
      cpuPeriod: int64(period),
      // The kernel accepts no quota of less than 1 ms.
      cpuQuota: int64(cpuLimit === 0n ? 0n : clamp(quota, 1000n, 2n ** 63n - 1n)),
    }),
    unified: node.cgroupVersion === 2 && node.singleProcessOomKill !== true ? { "memory.oom.group": "1" } : {},
  });
}

function hugepageLimits(limits: Amounts, node: NodeConfig): HugepageLimit[] {
  return [...hugePagesOf(limits, node)].map(([pageSize, limit]) => {
    return { pageSize, limit: Long.fromString(String(limit), true) };
  });
}

/** Returns the amount of huge pages by page size, such as `2MB`: for every size of the node, 0 if there is none. */
export function hugePagesOf(amounts: Amounts, { hugePageSizesBytes }: NodeConfig): Map<string, bigint> {
  const bySize = new Map<bigint, bigint>();
  for (const [name, amount] of amounts) {
    if (name.startsWith("hugepages-")) bySize.set(wholeUnits(name.slice("hugepages-".length), name), amount);
  }
  return new Map(hugePageSizesBytes.map((size) => [pageSizeName(size), bySize.get(BigInt(size)) ?? 0n]));
}

function pageSizeName(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${bytes}${units[unit]}`;
}
