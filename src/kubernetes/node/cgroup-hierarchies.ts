import type { MountEntry } from "./mount-table.js";

/** One tree of cgroups. On cgroup v1 there is one for each group of controllers, on v2 one for all. */
export interface CgroupHierarchy {
  /** The mount point. */
  path: string;
  version: 1 | 2;
  /** The controllers of cgroup v1 among those that limit pods. */
  controllers: readonly string[];
}

/** The controllers with limits for pods. */
export const podControllers: readonly string[] = ["cpu", "memory", "pids", "hugetlb"];

/** Finds the cgroup hierarchies among the mounts of this machine. */
export function cgroupHierarchies(mounts: readonly MountEntry[]): CgroupHierarchy[] {
  return mounts.flatMap(({ path, type, options }): CgroupHierarchy[] => {
    if (type === "cgroup2") return [{ path, version: 2, controllers: [] }];
    if (type !== "cgroup") return [];
    return [{ path, version: 1, controllers: podControllers.filter((name) => options.includes(name)) }];
  });
}

/** Returns the version of cgroups that the machine uses for its limits: 2 unless a controller is in a hierarchy of version 1. */
export function cgroupVersion(hierarchies: readonly CgroupHierarchy[]): 1 | 2 {
  return hierarchies.some(({ controllers }) => controllers.length > 0) ? 1 : 2;
}
