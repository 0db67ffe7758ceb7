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

/** Finds the cgroup hierarchies among the mounts of this machine. One that is mounted several times counts once. */
export function cgroupHierarchies(mounts: readonly MountEntry[]): CgroupHierarchy[] {
  const found = new Map<string, CgroupHierarchy>();
  // Other places can be read-only views for a container.
  const isUsual = ({ path }: MountEntry) => path.startsWith("/sys/fs/cgroup");
  for (const mount of [...mounts.filter(isUsual), ...mounts.filter((one) => !isUsual(one))]) {
    const { path, type, options } = mount;
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const key = type === "cgroup2" ? type : options.filter((option) => !/^r[ow]$/.test(option)).join(",");
    const controllers = type === "cgroup2" ? [] : podControllers.filter((name) => options.includes(name));
    if (!found.has(key)) found.set(key, { path, version: type === "cgroup2" ? 2 : 1, controllers });
  }
  return [...found.values()];
}

/** Returns the version of cgroups that the machine uses for its limits: 2 unless a controller is in a hierarchy of version 1. */
export function cgroupVersion(hierarchies: readonly CgroupHierarchy[]): 1 | 2 {
  return hierarchies.some(({ controllers }) => controllers.length > 0) ? 1 : 2;
}
