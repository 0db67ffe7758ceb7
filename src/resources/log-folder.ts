import { existsSync } from "node:fs";
import { mkdir, rmdir } from "node:fs/promises";
import { basename, dirname, posix } from "node:path";
import { emptyFolder } from "../internal/files/empty-folder.js";
import { Folder } from "../internal/files/folder.js";
import type { CallOptions } from "../options.js";
import type { ContainerConfig, PodSandboxConfig } from "../proto.js";
import { listPodSandboxes } from "../rpcs/pods.js";
import { logDirectoryName } from "../specs/pod-config.js";
import type { Connection } from "../transport/connection.js";
import { log } from "../transport/logging.js";

/** The time limit for removing the logs of a pod, in milliseconds: another pod that mounts the directory may keep adding files. */
const removalMs = 30_000;

/** The folders that were created for a container's log. */
export interface LogFolder {
  /** Removes the folders that are empty. */
  removeIfEmpty(): Promise<void>;
}

/**
 * Creates the folder for a container's log, as a kubelet does. CRI-O and Docker expect it to exist, while containerd creates it
 * itself. A runtime behind a socket or a named pipe is assumed to be on this machine. If the folder cannot be created here,
 * CreateContainer is sent nevertheless.
 */
export async function createLogFolder(
  { options, runtimeName }: Connection,
  { logDirectory }: PodSandboxConfig,
  { logPath }: ContainerConfig,
): Promise<LogFolder | undefined> {
  if (logDirectory === "" || logPath === "" || options.endpoint.kind === "tcp") return undefined;
  if (runtimeName === "containerd") return undefined;
  // CRI-O has created the pod's log directory already. If it does not exist on this machine, the runtime has another file system.
  if (runtimeName !== "docker" && !existsSync(logDirectory)) return undefined;
  const folder = dirname(posix.join(logDirectory, logPath));
  const first = await mkdir(folder, { recursive: true, mode: 0o755 }).catch(() => undefined);
  return first === undefined ? undefined : { removeIfEmpty: () => removeEmpty(folder, first) };
}

/** Removes a folder and its parents up to the topmost one. Stops at the first that is not empty. */
async function removeEmpty(folder: string, topmost: string): Promise<void> {
  for (let path = folder; path.length >= topmost.length; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      return;
    }
  }
}

/**
 * Removes the log directory of a removed pod, with its logs. Keeps the directory while another pod uses it, such as a later attempt
 * of the same pod. A failure is only logged, because the pod itself is removed.
 */
export async function removeLogDirectory(
  connection: Connection,
  podId: string,
  path: string | undefined,
  callOptions: CallOptions,
): Promise<void> {
  const { options, endpoint } = connection;
  if (path === undefined || options.endpoint.kind === "tcp") return;
  try {
    const pods = await listPodSandboxes(connection, undefined, callOptions);
    const isShared = pods.some(
      ({ id, metadata }) => id !== podId && metadata && logDirectoryName(metadata) === basename(path),
    );
    if (!isShared) await removeFolder(path);
  } catch (error) {
    const fields = { endpoint, path, error: String(error) };
    log(options.logger, "warn", "the log directory of a removed pod could not be removed", fields);
  }
}

async function removeFolder(path: string): Promise<void> {
  try {
    {
      await using folder = await Folder.open(path);
      await emptyFolder(folder, { signal: AbortSignal.timeout(removalMs) });
    }
    await rmdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
