/**
 * What a lab could leave behind on a machine, as a list of lines that can be compared. Folders that other programs write to as
 * well are searched for the names of the lab and its programs only.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "./cache.js";
import { cgroupMounts } from "./cgroups.js";
import { networkInterfaces, readForwarding } from "./network.js";
import { identify, isKernels } from "./processes.js";

/** The lab's own control groups, and what its programs create by default when nothing encloses them. */
const ofLab = /^(cri-lab-.*|k8s\.io|containerd|cni|runc|crun|registry|docker-registry)$/;

export function footprint(): string[] {
  return [
    ...networkInterfaces().map((name) => `interface ${name}`),
    `forwarding ${readForwarding()}`,
    ...readFileSync("/proc/net/route", "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => `route ${line.trim()}`),
    ...mounts().map((line) => `mount ${line}`),
    ...processes().map((line) => `process ${line}`),
    ...cgroupMounts().flatMap(({ path }) => ofLabIn(path).map((name) => `cgroup ${join(path, name)}`)),
    ...["/var/lib", "/opt", "/etc"].flatMap((folder) => ofLabIn(folder).map((name) => `file ${join(folder, name)}`)),
    ...["/run", "/run/netns", "/run/containerd", "/run/containerd/s", tmpdir(), join(cacheFolder(), "labs")].flatMap(
      (folder) => entries(folder).map((name) => `file ${join(folder, name)}`),
    ),
  ].sort();
}

function ofLabIn(folder: string): string[] {
  return entries(folder).filter((name) => ofLab.test(name));
}

/** Lines of one footprint that the other lacks, in both directions. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
  ];
}

/** Without the first two columns, which are numbers given anew to each mount. */
function mounts(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ").slice(4).join(" "));
}

/** All processes but this one, its compiler, those whose exit status nobody has asked for, and the kernel's own. */
function processes(): string[] {
  return entries("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || identify(pid) === undefined || isKernels(pid)) return [];
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return commandLine.includes("/esbuild --service") ? [] : [`${pid} ${commandLine}`];
    } catch {
      return [];
    }
  });
}

/** What is in a folder; nothing if it is gone, or not to be read. */
export function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
