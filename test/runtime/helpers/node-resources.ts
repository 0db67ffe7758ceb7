/**
 * Lists the resources that the pods of a runtime of the lab use on the node, including those that the runtime no longer lists.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cgroupMounts } from "../lab/cgroups.js";
import { contentOf, entries, foldersIn } from "../lab/files.js";
import { containerdPid } from "./containerd-process.js";

/** The kinds of resources that a pod uses on the node. */
export type NodeResourceKind = "process" | "network namespace" | "address" | "mount" | "control group" | "folder";

/** One resource, for example `mount /tmp/…/shm`. */
export interface NodeResource {
  kind: NodeResourceKind;
  name: string;
}

/** Lists the resources of all pods of a running runtime of the lab. */
export function nodeResourcesOf(endpoint: string): NodeResource[] {
  const pid = containerdPid(endpoint);
  const folder = join(dirname(endpoint.replace(/^unix:\/\//, "")), "private");
  // The file systems in the runtime's mount namespace are visible only through its /proc entry.
  const root = `/proc/${pid}/root`;
  const own = (path: string) => entries(join(root, folder, path));
  const resources = (kind: NodeResourceKind, names: readonly string[]) =>
    names.map((name): NodeResource => ({ kind, name }));
  const groups = groupsOf(pid);
  return [
    ...resources("process", processesIn(groups, pid)),
    ...resources("network namespace", entries(join(root, "run/netns"))),
    ...resources(
      "address",
      own("addresses").flatMap((network) => own(join("addresses", network)).filter((name) => /^\d+\.\d+\./.test(name))),
    ),
    ...resources("mount", mountsOf(pid, folder)),
    // containerd creates the group k8s.io with its first pod and never removes it.
    ...resources(
      "control group",
      groups.slice(1).filter((path) => !path.endsWith("/k8s.io")),
    ),
    ...["state/io.containerd.grpc.v1.cri/sandboxes", "root/io.containerd.grpc.v1.cri/sandboxes"]
      .concat("state/io.containerd.grpc.v1.cri/containers", "root/io.containerd.grpc.v1.cri/containers")
      .concat("state/io.containerd.runtime.v2.task/k8s.io")
      .flatMap((path) =>
        resources(
          "folder",
          own(path).map((name) => join(path, name)),
        ),
      ),
  ];
}

/** Lists the control groups of the instance that a process belongs to, in one hierarchy, the topmost first. */
function groupsOf(pid: number): string[] {
  const name = /\/(cri-lab-[0-9a-f]+-\d+)/.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
  const [mount] = cgroupMounts().filter(({ path }) => entries(path).includes(name ?? ""));
  if (name === undefined || mount === undefined) throw new Error(`process ${pid} is not in a control group of a lab`);
  const below = (path: string): string[] => [path, ...foldersIn(path).flatMap((entry) => below(join(path, entry)))];
  return below(join(mount.path, name)).filter((path) => !path.endsWith("/runtime"));
}

/** Lists the processes in the groups, except the runtime itself and those that keep its namespaces alive. */
function processesIn(groups: readonly string[], runtime: number): string[] {
  return groups.flatMap((group) => {
    const pids = [group, join(group, "runtime")].flatMap((path) => contentOf(join(path, "cgroup.procs")).split("\n"));
    return [...new Set(pids)].filter(Boolean).flatMap((pid) => {
      const commandLine = contentOf(`/proc/${pid}/cmdline`).split("\0").join(" ").trim();
      const own = Number(pid) === runtime || /^(nsenter|unshare|setpriv) |tini-static -- /.test(commandLine);
      const idle = /busybox sleep infinity$/.test(commandLine);
      return commandLine === "" || own || idle ? [] : [`${pid} ${commandLine}`];
    });
  });
}

function mountsOf(pid: number, folder: string): string[] {
  return contentOf(`/proc/${pid}/mountinfo`)
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter(
      (path) =>
        path.startsWith(`${folder}/state`) || path.startsWith(`${folder}/root`) || path.startsWith("/run/netns/"),
    );
}
