import type { PodCgroupPlan } from "../planning/pod-plan-types.js";

/** The files with the limits of a pod's cgroup, by controller, in the order in which they are written. */
export type CgroupLimits = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Returns the limits for cgroup v1. */
export function limitsV1(plan: PodCgroupPlan, hugePageSizes: readonly string[]): CgroupLimits {
  const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes } = plan;
  return {
    cpu: {
      "cpu.shares": String(cpuShares),
      ...(cpuPeriodUs !== undefined && { "cpu.cfs_period_us": String(cpuPeriodUs) }),
      ...(cpuQuotaUs !== undefined && { "cpu.cfs_quota_us": String(cpuQuotaUs) }),
    },
    memory: memoryLimitBytes === undefined ? {} : { "memory.limit_in_bytes": String(memoryLimitBytes) },
    pids: pids(plan),
    hugetlb: hugePages(plan, hugePageSizes, "limit_in_bytes"),
  };
}

/** Returns the limits for cgroup v2. */
export function limitsV2(plan: PodCgroupPlan, hugePageSizes: readonly string[]): CgroupLimits {
  const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes, unified } = plan;
  const quota = cpuQuotaUs === undefined || cpuQuotaUs < 0n ? "max" : String(cpuQuotaUs);
  const further = (controller: string) => Object.entries(unified).filter(([name]) => name.startsWith(`${controller}.`));
  return {
    cpu: {
      // The formula of the kubelet for pods. Runtimes may use another one for containers.
      "cpu.weight": String(1n + ((cpuShares - 2n) * 9_999n) / 262_142n),
      ...(cpuPeriodUs !== undefined && { "cpu.max": `${quota} ${cpuPeriodUs}` }),
      ...Object.fromEntries(further("cpu")),
    },
    memory: {
      ...(memoryLimitBytes !== undefined && { "memory.max": String(memoryLimitBytes) }),
      ...Object.fromEntries(further("memory")),
    },
    pids: pids(plan),
    hugetlb: hugePages(plan, hugePageSizes, "max"),
  };
}

function pids({ pidsLimit }: PodCgroupPlan): Readonly<Record<string, string>> {
  return pidsLimit === undefined ? {} : { "pids.max": String(pidsLimit) };
}

/** A pod may use only the sizes of huge pages that it asks for. */
function hugePages(
  { hugePageLimits }: PodCgroupPlan,
  sizes: readonly string[],
  file: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(sizes.map((size) => [`hugetlb.${size}.${file}`, String(hugePageLimits[size] ?? 0n)]));
}
