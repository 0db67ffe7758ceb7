/**
 * Checks whether this machine can run the lab.
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

/** Returns whether {@link startLab} can work on this machine, or the reason why not. Tries mounts and namespaces. */
export function labAvailability(): LabAvailability {
  const no = (reason: string): LabAvailability => ({ available: false, reason });
  if (process.env.CRI_LAB === "off") return no("CRI_LAB=off");
  if (process.platform !== "linux") return no(`containerd needs Linux, this is ${process.platform}`);
  if (process.getuid?.() !== 0) return no("containerd needs root");
  for (const program of ["apt-get", "dpkg-deb", "setpriv", "unshare", "nsenter"]) {
    if (spawnSync(program, ["--version"]).error) return no(`the program ${program} is missing`);
  }
  if (insideChroot()) return no("runc cannot isolate containers inside a chroot");
  if (cgroupMounts().length === 0) return no("no control groups are mounted");
  const namespaces = ["--mount", "--pid", "--cgroup", "--fork", "--mount-proc"];
  const attempt = spawnSync("unshare", [...namespaces, "/bin/sh", "-c", probe], { encoding: "utf8" });
  if (attempt.status !== 0) return no(`namespaces and overlay mounts are not available (${attempt.stderr.trim()})`);
  return { available: true };
}

/** Returns whether this process's root differs from that of its mount namespace. A container would then escape from the chroot. */
function insideChroot(): boolean {
  const { dev, ino } = statSync("/");
  const root = spawnSync("nsenter", ["--mount=/proc/self/ns/mnt", "stat", "-c", "%d:%i", "/"], { encoding: "utf8" });
  return root.stdout?.trim() !== `${dev}:${ino}`;
}
