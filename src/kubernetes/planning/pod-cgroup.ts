import { clamp } from "../../specs/resources.js";
import { type Amounts, sum } from "./amounts.js";
import { cgroupParentOf } from "./cgroup-parent.js";
import { hugePagesOf, type ResourceContext } from "./linux-resources.js";
import type { PodCgroupPlan } from "./pod-plan-types.js";

/** Plans the limits of a pod's cgroup as kubelets do. */
export function podCgroupOf(context: ResourceContext, uid: string): PodCgroupPlan | undefined {
  const { node, resources, qosClass } = context;
  if (!node.cgroupsPerQos) return undefined;
  const overhead = resources.overhead ?? new Map<string, bigint>();
  const requests = sum([resources.requests, overhead]);
  const cpuPeriodUs = BigInt(Math.round(node.cpuCfsQuotaPeriodMs * 1000));
  const cpuLimit = node.cpuCfsQuota ? limitOf(context, overhead, "cpu") : undefined;
  const memoryLimitBytes = limitOf(context, overhead, "memory");
  return {
    path: cgroupParentOf(node, qosClass, uid),
    driver: node.cgroupDriver,
    cpuShares: qosClass === "BestEffort" ? 2n : clamp(((requests.get("cpu") ?? 0n) * 1024n) / 1000n, 2n, 262_144n),
    ...(cpuLimit !== undefined && { cpuQuotaUs: atLeast(1000n, (cpuLimit * cpuPeriodUs) / 1000n), cpuPeriodUs }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
    hugePageLimits: Object.fromEntries(hugePagesOf(requests, node)),
    ...(node.podPidsLimit > 0 && { pidsLimit: node.podPidsLimit }),
    unified: reservation(context, requests),
  };
}

/** Returns a limit of the pod, if the pod or every container has one. */
function limitOf({ resources }: ResourceContext, overhead: Amounts, name: "cpu" | "memory"): bigint | undefined {
  const { own, containers, limits } = resources;
  const isLimited =
    (own?.limits.get(name) ?? 0n) > 0n || [...containers.values()].every(({ limits }) => (limits.get(name) ?? 0n) > 0n);
  return isLimited ? (limits.get(name) ?? 0n) + (overhead.get(name) ?? 0n) : undefined;
}

function reservation({ node, qosClass }: ResourceContext, requests: Amounts): Record<string, string> {
  const isReserved = node.memoryQos && node.cgroupVersion === 2 && node.memoryReservationPolicy === "TieredReservation";
  const request = requests.get("memory") ?? 0n;
  if (!isReserved || request === 0n || qosClass === "BestEffort") return {};
  return { [qosClass === "Guaranteed" ? "memory.min" : "memory.low"]: String(request) };
}

function atLeast(minimum: bigint, value: bigint): bigint {
  return value < minimum ? minimum : value;
}
