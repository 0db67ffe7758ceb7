/**
 * What the pods of one of the lab's runtimes leave on the node, whether the runtime knows of it or not.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cgroupMounts } from "../lab/cgroups.js";
import { entries } from "../lab/footprint.js";
import { containerdPid } from "./containerd-process.js";

/** The kinds of things that a pod is made of on the node. */
export type NodeResourceKind = "process" | "network namespace" | "address" | "mount" | "control group" | "folder";

/** One thing, such as `mount /tmp/…/shm`. */
export interface NodeResource {
  kind: NodeResourceKind;
  name: string;
}

/** Everything there is of the pods of the running runtime behind an endpoint of the lab. */
export function nodeResourcesOf(endpoint: string): NodeResource[] {
  const pid = containerdPid(endpoint);
  const folder = join(dirname(endpoint.replace(/^unix:\/\//, "")), "private");
  // The runtime has file systems of its own, which only it and its children see.
  const root = `/proc/${pid}/root`;
  const own = (path: string) => entries(join(root, folder, path));
  const traces = (kind: NodeResourceKind, names: readonly string[]) =>
    names.map((name): NodeResource => ({ kind, name }));
  const groups = groupsOf(pid);
  return [
    ...traces("process", processesIn(groups, pid)),
    ...traces("network namespace", entries(join(root, "run/netns"))),
    ...traces(
      "address",
      own("addresses").flatMap((network) => own(join("addresses", network)).filter((name) => /^\d+\.\d+\./.test(name))),
    ),
    ...traces("mount", mountsOf(pid, folder)),
    // The runtime's own group, which is there as soon as there has been one pod, stays.
    ...traces(
      "control group",
      groups.slice(1).filter((path) => !path.endsWith("/k8s.io")),
    ),
    ...["state/io.containerd.grpc.v1.cri/sandboxes", "root/io.containerd.grpc.v1.cri/sandboxes"]
      .concat("state/io.containerd.grpc.v1.cri/containers", "root/io.containerd.grpc.v1.cri/containers")
      .concat("state/io.containerd.runtime.v2.task/k8s.io")
      .flatMap((path) =>
        traces(
          "folder",
          own(path).map((name) => join(path, name)),
        ),
      ),
  ];
}

/** The control groups of the instance that a process belongs to, of one hierarchy, the topmost first. */
function groupsOf(pid: number): string[] {
  const name = /\/(cri-lab-[0-9a-f]+-\d+)/.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
  const [mount] = cgroupMounts().filter(({ path }) => entries(path).includes(name ?? ""));
  if (name === undefined || mount === undefined) throw new Error(`process ${pid} is in no control group of a lab`);
  const below = (path: string): string[] => [path, ...foldersIn(path).flatMap((entry) => below(join(path, entry)))];
  return below(join(mount.path, name)).filter((path) => !path.endsWith("/runtime"));
}

/** Those in the groups but the runtime itself, who stands guard over it, and the enclosure's own. */
function processesIn(groups: readonly string[], runtime: number): string[] {
  return groups.flatMap((group) => {
    const pids = [group, join(group, "runtime")].flatMap((path) => read(join(path, "cgroup.procs")).split("\n"));
    return [...new Set(pids)].filter(Boolean).flatMap((pid) => {
      const commandLine = read(`/proc/${pid}/cmdline`).split("\0").join(" ").trim();
      const own = Number(pid) === runtime || /^(nsenter|unshare|setpriv) |tini-static -- /.test(commandLine);
      const idle = /busybox sleep infinity$/.test(commandLine);
      return commandLine === "" || own || idle ? [] : [`${pid} ${commandLine}`];
    });
  });
}

function mountsOf(pid: number, folder: string): string[] {
  return read(`/proc/${pid}/mountinfo`)
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter(
      (path) =>
        path.startsWith(`${folder}/state`) || path.startsWith(`${folder}/root`) || path.startsWith("/run/netns/"),
    );
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // gone meanwhile
  }
}
