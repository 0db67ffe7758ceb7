import { existsSync } from "node:fs";
import { cpus } from "node:os";
import {
  type LinuxContainerResources,
  type LinuxContainerSecurityContext,
  type SecurityProfile,
  SecurityProfile_ProfileType,
} from "../../proto.js";
import type { Refusal } from "./refusal.js";

const maxLabelBytes = 4_096;

/** Rejects a label that is longer than containerd's database allows. */
export function longLabel(labels: Readonly<Record<string, string>>): Refusal | undefined {
  for (const [key, value] of Object.entries(labels)) {
    const length = Buffer.byteLength(key) + Buffer.byteLength(value);
    if (length <= maxLabelBytes) continue;
    const context = "failed to create containerd container: create container failed validation: containers.Labels";
    const reason = `label key and value length (${length} bytes) greater than maximum size (${maxLabelBytes} bytes)`;
    return { code: "INVALID_ARGUMENT", reason: `${context}: ${reason}, key: ${key.slice(0, 64)}: invalid argument` };
  }
  return undefined;
}

/** Rejects a seccomp profile that does not exist on this machine. */
export function missingSeccomp(profile: SecurityProfile | undefined): string | undefined {
  if (profile?.profileType !== SecurityProfile_ProfileType.Localhost) return undefined;
  const path = profile.localhostRef.replace(/^localhost\//, "");
  if (path.startsWith("/") && existsSync(path)) return undefined;
  const why = `cannot load seccomp profile "${path}": open ${path}: no such file or directory`;
  return `failed to create containerd container: ${why}`;
}

/** Rejects a group without a user. */
export function groupWithoutUser(
  security: (Pick<LinuxContainerSecurityContext, "runAsUser" | "runAsGroup"> & { runAsUsername?: string }) | undefined,
): string | undefined {
  if (!security?.runAsGroup || security.runAsUser || security.runAsUsername) return undefined;
  return `failed to generate user string: user group "${security.runAsGroup.value}" is specified without user`;
}

/** Returns why the kernel rejects a container's CPU set, or undefined. */
export function cpusetRefusal({ cpusetCpus }: LinuxContainerResources): string | undefined {
  if (cpusetCpus === "") return undefined;
  const path = "/sys/fs/cgroup/cpuset/k8s.io/cpuset.cpus";
  const refuse = (why: string) => `failed to write "${cpusetCpus}": write ${path}: ${why}`;
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(cpusetCpus)) return refuse("invalid argument");
  const highest = Math.max(...cpusetCpus.split(/[-,]/).map(Number));
  return highest < cpus().length ? undefined : refuse("numerical result out of range");
}

/** The smallest memory limit with which runc can start a process. */
export const minMemoryBytes = 512 * 1_024;
