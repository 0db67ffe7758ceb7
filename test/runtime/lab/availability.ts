/**
 * Whether this machine can run the lab at all.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { cgroupMounts } from "./cgroups.js";

export type LabAvailability = { available: true } | { available: false; reason: string };

const probe = [
  "set -e",
  "mount -t tmpfs probe /mnt",
  "cd /mnt",
  "mkdir lower upper work over",
  "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay over",
].join("\n");

/** Tells whether {@link startLab} can work here, by trying what cannot be read anywhere. */
export function labAvailability(): LabAvailability {
  const no = (reason: string): LabAvailability => ({ available: false, reason });
  if (process.env.CRI_LAB === "off") return no("CRI_LAB=off");
  if (process.platform !== "linux") return no(`containerd needs Linux, this is ${process.platform}`);
  if (process.getuid?.() !== 0) return no("containerd needs root");
  for (const program of ["apt-get", "dpkg-deb", "setpriv", "unshare", "nsenter"]) {
    if (spawnSync(program, ["--version"]).error) return no(`there is no program named ${program}`);
  }
  if (insideChroot()) return no("this is a chroot, where runc cannot shut a container in");
  if (cgroupMounts().length === 0) return no("no control groups are mounted");
  const namespaces = ["--mount", "--pid", "--cgroup", "--fork", "--mount-proc"];
  const attempt = spawnSync("unshare", [...namespaces, "/bin/sh", "-c", probe], { encoding: "utf8" });
  if (attempt.status !== 0) return no(`namespaces and overlays cannot be had (${attempt.stderr.trim()})`);
  return { available: true };
}

/** Whether the root here is another than that of the mount namespace: what enters a container's namespace would escape. */
function insideChroot(): boolean {
  const { dev, ino } = statSync("/");
  const root = spawnSync("nsenter", ["--mount=/proc/self/ns/mnt", "stat", "-c", "%d:%i", "/"], { encoding: "utf8" });
  return root.stdout?.trim() !== `${dev}:${ino}`;
}
