/**
 * Control groups of the lab. Each instance gets one group below every hierarchy, version 1 or 2, and sees that group as the
 * root: whatever it creates can be found and removed afterwards, and nothing mixes with a real runtime of the machine.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface CgroupMount {
  path: string;
  version: 1 | 2;
  /** Mount options that name the hierarchy, e.g. `cpu,cpuacct` or `none,name=systemd`; version 1 only. */
  options: string;
}

/** In a group of version 2 with controllers, processes live in leaves only: the runtime's own live in this one. */
export const leaf = "runtime";

export function cgroupMounts(): CgroupMount[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line): CgroupMount[] => {
      const [mount, source] = line.split(" - ");
      const path = mount?.split(" ")[4];
      const [type, , options] = source?.split(" ") ?? [];
      if (path === undefined || options === undefined) return [];
      if (type === "cgroup2") return [{ path, version: 2, options: "" }];
      if (type !== "cgroup") return [];
      const hierarchy = options.split(",").filter((option) => option !== "rw" && option !== "ro" && !isSetting(option));
      const named = hierarchy.some((option) => option.startsWith("name="));
      return [{ path, version: 1, options: (named ? ["none", ...hierarchy] : hierarchy).join(",") }];
    });
}

function isSetting(option: string): boolean {
  return ["xattr", "clone_children", "noprefix"].includes(option) || option.startsWith("release_agent=");
}

export function createCgroup(name: string): void {
  for (const mount of cgroupMounts()) {
    const folder = join(mount.path, name);
    if (mount.version === 2) delegateControllers(mount.path);
    mkdirSync(folder, { recursive: true });
    if (mount.version === 2) mkdirSync(join(folder, leaf), { recursive: true });
    // A new group of version 1 may use no processor and no memory node until it is told.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (mount.version === 1 && existsSync(join(folder, file))) {
        writeFileSync(join(folder, file), readFileSync(join(mount.path, file)));
      }
    }
  }
}

/** One at a time, since one that cannot be had must not spoil the rest; runc reports what it misses when a test needs it. */
function delegateControllers(folder: string): void {
  for (const controller of readFileSync(join(folder, "cgroup.controllers"), "utf8").trim().split(" ")) {
    try {
      writeFileSync(join(folder, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // Already given away, or not ours to give.
    }
  }
}

/** Removes the group and those below it; throws while a process is still inside. */
export function removeCgroup(name: string): void {
  for (const mount of cgroupMounts()) removeTree(join(mount.path, name));
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  rmdirSync(folder);
}
