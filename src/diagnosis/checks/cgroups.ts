import { stat } from "node:fs/promises";
import { cgroupHierarchies, cgroupVersion } from "../../internal/machine/cgroup-hierarchies.js";
import { readMounts } from "../../internal/machine/mount-table.js";
import { findCgroupDriver } from "../../resources/cgroup-driver.js";
import { type Finding, finding } from "../finding.js";
import { restart } from "../service-unit.js";
import type { Subject } from "../subject.js";

/** Compares the cgroup driver of the runtime with the init system and the cgroups of the machine. */
export async function checkCgroups(subject: Subject): Promise<Finding[]> {
  const driver = await findCgroupDriver(subject.connection, subject.status.info, subject.callOptions);
  if (!subject.isLocal || process.platform !== "linux") {
    return [
      finding("cgroups", "ok", `driver ${driver ?? "not reported"}; the cgroups of another machine are not visible`),
    ];
  }
  const hierarchies = cgroupHierarchies(await readMounts());
  const hasSystemd = await subject
    .onNode("/run/systemd/system")
    .then((path) => stat(path))
    .then(
      (found) => found.isDirectory(),
      () => false,
    );
  return [
    judgeCgroups(
      { driver, version: hierarchies.length === 0 ? undefined : cgroupVersion(hierarchies), hasSystemd },
      restart(subject.endpoint),
    ),
  ];
}

/** What decides whether the cgroup driver fits. */
export interface CgroupFacts {
  /** `undefined` if the runtime does not report it. */
  readonly driver: "cgroupfs" | "systemd" | undefined;
  /** `undefined` if no cgroups are mounted. */
  readonly version: 1 | 2 | undefined;
  /** Whether systemd is the init system. */
  readonly hasSystemd: boolean;
}

/** Judges the cgroup driver. @param restartCommand restarts the runtime */
export function judgeCgroups({ driver, version, hasSystemd }: CgroupFacts, restartCommand: string): Finding {
  const found = `driver ${driver ?? "not reported"}, cgroup ${version === undefined ? "not mounted" : `v${version}`}, ${hasSystemd ? "systemd" : "no systemd"}`;
  const details =
    version === 1 ? ["cgroup v1 has no pressure figures, and kubelets of Kubernetes 1.35 refuse it by default"] : [];
  if (version === undefined) {
    return finding("cgroups", "failure", found, {
      remedy: "Mount the cgroup file system: without it, no container starts.",
      commands: ["mount -t cgroup2 none /sys/fs/cgroup"],
    });
  }
  if (driver === "systemd" && !hasSystemd) {
    return finding("cgroups", "failure", found, {
      details,
      remedy:
        'Set the driver of the runtime to cgroupfs, because systemd does not run here: SystemdCgroup = false in /etc/containerd/config.toml, or cgroup_manager = "cgroupfs" for CRI-O.',
      commands: [
        "sudo sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' /etc/containerd/config.toml",
        restartCommand,
      ],
    });
  }
  if (driver === "cgroupfs" && hasSystemd) {
    return finding("cgroups", "warning", found, {
      details,
      remedy:
        "Set the driver of the runtime to systemd, which manages the cgroups of this machine: two managers can undo each other's limits. A kubelet must use the same driver.",
      commands: [
        "sudo sed -i 's/SystemdCgroup = false/SystemdCgroup = true/' /etc/containerd/config.toml",
        restartCommand,
      ],
    });
  }
  return finding("cgroups", "ok", found, { details });
}
