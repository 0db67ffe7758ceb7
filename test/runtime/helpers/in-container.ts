/**
 * What a container sees of itself. Asked of the container, not of the runtime.
 *
 * @module
 */
import type { Container } from "k8s-cri-client";
import { sh } from "./journeys.js";

/** What a shell line prints in a container. */
export async function outputOf(container: Container, line: string): Promise<string> {
  const { stdout } = await container.execSync(sh(line), { throwOnNonZero: true });
  return stdout.trimEnd();
}

/** How many of the processes that a container sees were started with these words, which are the last of their command line. */
export async function countProcesses(container: Container, words: string): Promise<number> {
  const all = await outputOf(container, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
  return all.split(`${words} `).length - 1;
}

/** A field of the first process in `/proc/<pid>/status`, such as `CapEff`. */
export async function processStatus(container: Container, field: string): Promise<string> {
  return outputOf(container, `sed -n 's/^${field}:[[:space:]]*//p' /proc/1/status`);
}

/** The names of the capabilities by bit, as far as tests need them. */
export const capabilityBits = {
  CHOWN: 0n,
  NET_BIND_SERVICE: 10n,
  NET_ADMIN: 12n,
  NET_RAW: 13n,
  SYS_ADMIN: 21n,
} as const;

/** The set of effective capabilities of the first process. */
export async function effectiveCapabilities(container: Container): Promise<bigint> {
  return BigInt(`0x${await processStatus(container, "CapEff")}`);
}

/** The limits that the kernel enforces, read where the container itself can see them, in the terms of cgroup version 1. */
export interface EnforcedLimits {
  memoryBytes: string;
  cpuShares: string;
  cpuQuota: string;
  cpus: string;
}

export async function enforcedLimits(container: Container): Promise<EnforcedLimits> {
  const v1 = (await outputOf(container, "test -f /sys/fs/cgroup/cgroup.controllers && echo 2 || echo 1")) === "1";
  const read = (file: string) => outputOf(container, `cat /sys/fs/cgroup/${file} 2>/dev/null || true`);
  if (v1) {
    return {
      memoryBytes: await read("memory/memory.limit_in_bytes"),
      cpuShares: (await read("cpu/cpu.shares")) || (await read("cpu,cpuacct/cpu.shares")),
      cpuQuota: (await read("cpu/cpu.cfs_quota_us")) || (await read("cpu,cpuacct/cpu.cfs_quota_us")),
      cpus: await read("cpuset/cpuset.cpus"),
    };
  }
  const weight = Number(await read("cpu.weight"));
  return {
    memoryBytes: await read("memory.max"),
    // The inverse of what runc computes from shares.
    cpuShares: String(Math.round(2 + ((weight - 1) * 262_142) / 9_999)),
    cpuQuota: (await read("cpu.max")).split(" ")[0] ?? "",
    cpus: (await read("cpuset.cpus")) || (await read("cpuset.cpus.effective")),
  };
}
