/**
 * Lists the resources that a lab could leave on a machine, as lines that can be compared. In folders that other programs write to,
 * it lists only the names of the lab and its programs.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "./cache.js";
import { cgroupMounts } from "./cgroups.js";
import { entries } from "./files.js";
import { networkInterfaces, readForwarding } from "./network.js";
import { identify, isKernelThread } from "./processes.js";

/** The lab's control groups, and the names that its programs would create outside of namespaces. */
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

/** Lists the lines that were added (`+`) and removed (`-`) between two footprints. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
  ];
}

/** Lists the mounts without the first four columns, whose ids differ each time. */
function mounts(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ").slice(4).join(" "));
}

/** Lists all processes except this one, its compiler, zombies and kernel threads. */
function processes(): string[] {
  return entries("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || identify(pid) === undefined || isKernelThread(pid)) return [];
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return commandLine.includes("/esbuild --service") ? [] : [`${pid} ${commandLine}`];
    } catch {
      return [];
    }
  });
}
