/**
 * Reads the state of a container by running commands in it, not from the runtime.
 *
 * @module
 */
import type { Container } from "k8s-cri-client";
import { eventually } from "./expectations.js";
import { sh } from "./journeys.js";

/** Runs a shell command in a container and returns its standard output, without the final newline. Throws if it exits non-zero. */
export async function outputOf(container: Container, line: string): Promise<string> {
  const { stdout } = await container.execSync(sh(line), { throwOnNonZero: true });
  return stdout.trimEnd();
}

/** Waits until a file exists in a container. */
export async function waitForFile(container: Container, path: string): Promise<void> {
  await outputOf(container, `until test -f ${path}; do sleep 0.05; done`);
}

/** Counts the processes that a container sees whose command line ends with `commandLine`. */
export async function countProcesses(container: Container, commandLine: string): Promise<number> {
  const all = await outputOf(container, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
  return all.split(`${commandLine} `).length - 1;
}

/** Waits until {@link countProcesses} returns this count. */
export async function waitForProcesses(container: Container, commandLine: string, count: number): Promise<void> {
  await eventually(
    () => countProcesses(container, commandLine),
    (found) => found === count,
  );
}

/** Reads a field of `/proc/1/status`, for example `CapEff`. */
export async function processStatus(container: Container, field: string): Promise<string> {
  return outputOf(container, `sed -n 's/^${field}:[[:space:]]*//p' /proc/1/status`);
}

/** Bit numbers of the capabilities that tests use. */
export const capabilityBits = {
  CHOWN: 0n,
  NET_BIND_SERVICE: 10n,
  NET_ADMIN: 12n,
  NET_RAW: 13n,
  SYS_ADMIN: 21n,
} as const;

/** Reads the effective capabilities of process 1 as a bit set. */
export async function effectiveCapabilities(container: Container): Promise<bigint> {
  return BigInt(`0x${await processStatus(container, "CapEff")}`);
}

/** Limits that the kernel enforces, as the files of cgroup version 1 contain them. */
export interface EnforcedLimits {
  memoryBytes: string;
  cpuShares: string;
  cpuQuota: string;
  cpus: string;
}

/** Reads the limits from the container's cgroup, version 1 or 2. */
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
    // The inverse of runc's conversion from shares to weight.
    cpuShares: String(Math.round(2 + ((weight - 1) * 262_142) / 9_999)),
    cpuQuota: (await read("cpu.max")).split(" ")[0] ?? "",
    cpus: (await read("cpuset.cpus")) || (await read("cpuset.cpus.effective")),
  };
}
