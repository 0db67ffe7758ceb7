/**
 * Control groups of the lab. Each instance has one group in every hierarchy, version 1 or 2, and sees that group as the root. All
 * groups that it creates are below that group. They are separate from those of a real runtime on the machine, and the lab can
 * remove all of them.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface CgroupMount {
  path: string;
  version: 1 | 2;
  /** Mount options that name the hierarchy, for example `cpu,cpuacct` or `none,name=systemd`. Version 1 only. */
  options: string;
}

/** Group of the runtime's own processes. In version 2, a group with controllers can contain processes in leaf groups only. */
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
    // A new cpuset group of version 1 has no CPUs and memory nodes.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (mount.version === 1 && existsSync(join(folder, file))) {
        writeFileSync(join(folder, file), readFileSync(join(mount.path, file)));
      }
    }
  }
}

/** Enables each controller separately, so that a missing one does not affect the others. runc reports those that it needs. */
function delegateControllers(folder: string): void {
  for (const controller of readFileSync(join(folder, "cgroup.controllers"), "utf8").trim().split(" ")) {
    try {
      writeFileSync(join(folder, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // Already in use, or not delegated to this process.
    }
  }
}

/** Removes the group and those below it. Throws while a process is in one of them. */
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
