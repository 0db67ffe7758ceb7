/**
 * The cgroup of a pod. The runtime creates those of the containers in it, but only the kubelet knows the limits of the pod as
 * a whole. Without a kubelet, this module writes them.
 *
 * @module
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CriError, InvalidInputError } from "../../errors.js";
import {
  type CgroupHierarchy,
  cgroupHierarchies,
  cgroupVersion,
  podControllers,
} from "../../internal/machine/cgroup-hierarchies.js";
import { type MountEntry, readMounts } from "../../internal/machine/mount-table.js";
import type { PodCgroupPlan } from "../planning/pod-plan-types.js";
import { diskStep, refuseDisk } from "./disk-error.js";
import { type CgroupLimits, limitsV1, limitsV2 } from "./pod-cgroup-limits.js";
import { runSystemProgram } from "./system-program.js";

/**
 * Creates the cgroup of a pod with its limits, before the sandbox is created. An existing one gets the limits.
 *
 * With the systemd driver, systemd owns the cgroups: the runtime has it create the one of the pod, without limits of the pod as
 * a whole. Those of the containers are enforced with both drivers.
 */
export async function createPodCgroup(plan: PodCgroupPlan, mounts?: readonly MountEntry[]): Promise<void> {
  if (plan.driver === "systemd") return;
  await diskStep(`cannot limit the cgroup ${plan.path}`, async () => {
    const hierarchies = cgroupHierarchies(mounts ?? (await readMounts()));
    const version = cgroupVersion(hierarchies);
    try {
      for (const hierarchy of hierarchies) {
        if (version === 2) await limitUnified(hierarchy, plan);
        else await limitSeparate(hierarchy, plan);
      }
    } catch (error) {
      // Keeps a cgroup that is in use.
      for (const { path } of hierarchies) await removeIfEmpty(groupPath(path, plan.path));
      throw error;
    }
  });
}

async function limitSeparate({ path, controllers }: CgroupHierarchy, plan: PodCgroupPlan): Promise<void> {
  const group = groupPath(path, plan.path);
  // Also in hierarchies without limits, so that no removal of another pod finds the cgroups above this one empty.
  await mkdir(group, { recursive: true });
  const limits = limitsV1(plan, await hugePageSizes(group, "limit_in_bytes"));
  for (const controller of controllers) await writeLimits(group, limits, controller);
}

async function limitUnified({ path }: CgroupHierarchy, plan: PodCgroupPlan): Promise<void> {
  const group = groupPath(path, plan.path);
  await mkdir(group, { recursive: true });
  const available = (await readFile(`${path}/cgroup.controllers`, "utf8")).split(/\s+/).filter(Boolean);
  const parents: string[] = [];
  for (let parent = dirname(group); parent.length >= path.length; parent = dirname(parent)) parents.unshift(parent);
  for (const parent of parents) {
    // Writes one at a time: a single one that fails makes the kernel ignore the others.
    for (const name of available) await writeFile(`${parent}/cgroup.subtree_control`, `+${name}`).catch(() => {});
  }
  const limits = limitsV2(plan, await hugePageSizes(group, "max"));
  for (const controller of podControllers) await writeLimits(group, limits, controller);
}

async function writeLimits(group: string, limits: CgroupLimits, controller: string): Promise<void> {
  for (const [file, value] of Object.entries(limits[controller] ?? {})) {
    try {
      await writeFile(`${group}/${file}`, value, { flag: "r+" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      refuseDisk(`the controller ${controller} is not enabled for ${group}`);
    }
  }
}

/** Lists the sizes of huge pages that the cgroup can limit, such as `2MB`. */
async function hugePageSizes(group: string, file: string): Promise<string[]> {
  const pattern = new RegExp(`^hugetlb\\.(\\d+[KMG]B)\\.${file}$`);
  return (await readdir(group)).flatMap((name) => pattern.exec(name)?.[1] ?? []);
}

/** How long to wait until the kernel has freed the processes of a cgroup, in milliseconds. */
const removalMs = 10_000;

/** The cgroups above those of pods, which are removed with their last pod. */
const sharedNames = new Set(["burstable", "besteffort", "kubepods", "k8s-cri-client"]);

/**
 * Removes the cgroup of a pod after its sandbox has been removed. Kills processes that the runtime has left in it. Also removes the
 * cgroups above that have become empty. A cgroup that does not exist counts as removed.
 *
 * @throws CriError `DEADLINE_EXCEEDED` if processes do not end within 10 seconds
 */
export async function removePodCgroup(
  { path, driver }: Pick<PodCgroupPlan, "path" | "driver">,
  mounts?: readonly MountEntry[],
): Promise<void> {
  await diskStep(`cannot remove the cgroup ${path}`, async () => {
    // Without systemd, there are no slices to remove. A slice that does not exist is no failure either.
    if (driver === "systemd") await runSystemProgram("systemctl", ["stop", basename(path)]).catch(() => {});
    else for (const hierarchy of cgroupHierarchies(mounts ?? (await readMounts()))) await removeFrom(hierarchy, path);
  });
}

async function removeFrom({ path: root }: CgroupHierarchy, path: string): Promise<void> {
  const group = groupPath(root, path);
  const deadline = performance.now() + removalMs;
  for (let waitMs = 1; !(await isRemoved(group)); waitMs = Math.min(100, waitMs * 2)) {
    if (performance.now() > deadline) {
      throw new CriError({ code: "DEADLINE_EXCEEDED", message: `processes in ${group} do not end` });
    }
    await sleep(waitMs);
  }
  await removeIfEmpty(group);
}

/** Removes a cgroup and those above it that pods share, as far as they are empty. */
async function removeIfEmpty(group: string): Promise<void> {
  await rmdir(group).catch(() => {});
  for (let parent = dirname(group); sharedNames.has(basename(parent)); parent = dirname(parent)) {
    await rmdir(parent).catch(() => {});
  }
}

/** Tries to remove a cgroup and those in it. Returns whether it no longer exists. */
async function isRemoved(group: string): Promise<boolean> {
  const children = await readdir(group, { withFileTypes: true }).catch(ifMissing([]));
  for (const child of children) if (child.isDirectory()) await isRemoved(`${group}/${child.name}`);
  try {
    await rmdir(group);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code !== "EBUSY" && code !== "ENOTEMPTY") throw error;
  }
  const processes = await readFile(`${group}/cgroup.procs`, "utf8").catch(ifMissing(""));
  for (const pid of processes.split("\n").filter(Boolean)) kill(Number(pid));
  return false;
}

function kill(pid: number): void {
  // 0 is a process outside of this process' pid namespace.
  if (pid === 0) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Returns a handler that replaces the error of a missing file with a value. */
function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT" || error.code === "ENODEV") return value;
    throw error;
  };
}

/** Returns the path of a cgroup in a hierarchy. */
function groupPath(root: string, path: string): string {
  if (path.split("/").some((name) => name === ".." || name === ".") || !path.startsWith("/") || path === "/") {
    throw new InvalidInputError({ field: "cgroup.path", message: "must be an absolute path below /", value: path });
  }
  return `${root}${path}`;
}
