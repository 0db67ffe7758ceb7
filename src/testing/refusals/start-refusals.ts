import { basename, isAbsolute } from "node:path";
import type { ServerError } from "nice-grpc-common";
import type { ContainerConfig, LinuxContainerResources } from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { rpcError } from "../handlers.js";
import type { ContainerRecord } from "../state/containers.js";
import { firstRefusal, type Rule, refusalError, runcRefusal } from "./refusal.js";
import { cpusetRefusal, minMemoryBytes } from "./shared-rules.js";

/** Limit on the name of a file on Linux, in bytes. */
const maxNameBytes = 255;

const initRefusal = (reason: string) =>
  runcRefusal(`unable to start container process: error during container init: ${reason}`);
const processRefusal = (reason: string) => runcRefusal(`unable to start container process: ${reason}`);

const rules: readonly Rule<[ContainerRecord, ContainerConfig]>[] = [
  ({ logPath }) =>
    Buffer.byteLength(basename(logPath)) > maxNameBytes
      ? `failed to create containerd task: failed to create container loggers: failed to create and open log file: open ${logPath}: file name too long`
      : undefined,
  (_, { workingDir }) =>
    workingDir === "" || workingDir.startsWith("/") ? undefined : runcRefusal("Cwd must be an absolute path"),
  ({ linux }) => {
    const adjustment = linux?.oomScoreAdj.toNumber() ?? 0;
    return Math.abs(adjustment) <= 1_000 ? undefined : processRefusal("can't get final child's PID from pipe: EOF");
  },
  ({ linux }) => {
    const reason = linux && cpusetRefusal(linux);
    return reason && processRefusal(`unable to apply cgroup configuration: ${reason}`);
  },
  ({ linux }) => {
    const reason = linux && limitTooSmall(linux);
    return reason && initRefusal(`error setting cgroup config for procHooks process: ${reason}`);
  },
  (_, { mounts }) => {
    if (mounts.some(({ containerPath }) => containerPath === ""))
      return processRefusal("error closing exec fds: open /proc/self/fd: no such file or directory");
    const relative = mounts.find(({ hostPath }) => hostPath !== "" && !isAbsolute(hostPath));
    if (!relative) return undefined;
    return initRefusal(
      `error mounting "${relative.hostPath}" to rootfs at "${relative.containerPath}": no such file or directory`,
    );
  },
  (_, { envs }) =>
    envs.some(({ key }) => key === "") ? initRefusal("environment variable name can't be empty") : undefined,
];

function limitTooSmall({ memoryLimitInBytes, cpuQuota }: LinuxContainerResources): string | undefined {
  const memory = memoryLimitInBytes.toNumber();
  if (memory > 0 && memory < minMemoryBytes) return `unable to set memory limit to ${memory}`;
  const quota = cpuQuota.toNumber();
  if (quota <= 0 || quota >= 1_000) return undefined;
  return `failed to write "${quota}": write /sys/fs/cgroup/cpu/k8s.io/cpu.cfs_quota_us: invalid argument`;
}

/** Returns the error of StartContainer if containerd cannot start a container with its settings. */
export function startRefusal(container: ContainerRecord, flavor: FlavorProfile): ServerError | undefined {
  if (flavor.family !== "containerd") return undefined;
  const refusal = firstRefusal(rules, container, container.config);
  return refusal && refusalError(refusal, "", flavor);
}

/** Returns the error of UpdateContainerResources if the kernel rejects the resources of a running container. */
export function updateRefusal(linux: LinuxContainerResources, flavor: FlavorProfile): ServerError | undefined {
  if (flavor.family !== "containerd") return undefined;
  const memory = linux.memoryLimitInBytes.toNumber();
  const memoryReason =
    memory > 0 && memory < minMemoryBytes
      ? `unable to set memory limit to ${memory} (current usage: 561152, peak usage: 3260416)`
      : undefined;
  const reason = cpusetRefusal(linux) ?? memoryReason;
  const context =
    "failed to update resources: failed to update resources: runc did not terminate successfully: exit status 1";
  return reason === undefined ? undefined : rpcError("UNKNOWN", `${context}: ${reason}`);
}
