import { rename, stat } from "node:fs/promises";
import { CriError } from "../../errors.js";
import { logFailure } from "../../logs/log-failure.js";
import type { CallOptions } from "../../options.js";
import { ContainerState } from "../../proto.js";
import { containerStatus, reopenContainerLog } from "../../rpcs/containers.js";
import type { Connection } from "../../transport/connection.js";
import { type ContainerLogOptions, pathOf } from "./container-logs.js";

/** Options of rotateLog. */
export interface RotateLogOptions extends CallOptions, Pick<ContainerLogOptions, "localPath"> {}

/**
 * Rotates a log as the kubelet does: renames it to `<log>.<YYYYMMDD-HHMMSS>`, then ReopenContainerLog. If that fails the name is
 * given back, unless the runtime has made a new file after all.
 *
 * @returns the path that the log has now
 */
export async function rotateLog(connection: Connection, id: string, options: RotateLogOptions = {}): Promise<string> {
  const { localPath = (path: string) => path, ...callOptions } = options;
  const { status } = await containerStatus(connection, id, false, callOptions);
  if (status.state !== ContainerState.CONTAINER_RUNNING) {
    throw new CriError({
      code: "FAILED_PRECONDITION",
      message: `container ${id} is not running: only the log of a running container can be reopened`,
      method: "RuntimeService/ReopenContainerLog",
    });
  }
  const path = localPath(pathOf(status));
  const rotated = await freeName(path);
  await rename(path, rotated).catch((error: unknown) => {
    throw logFailure(path, error);
  });
  try {
    await reopenContainerLog(connection, id, callOptions);
  } catch (error) {
    // A lost answer: with the new file there the old one has been let go.
    if (!(await exists(path))) await rename(rotated, path).catch(() => {});
    throw error;
  }
  return rotated;
}

/** Rotating twice within a second takes the name of the next one, which keeps the order. */
async function freeName(path: string): Promise<string> {
  for (let at = Date.now(); ; at += 1_000) {
    const name = `${path}.${stamp(new Date(at))}`;
    if (!(await exists(name)) && !(await exists(`${name}.gz`))) return name;
  }
}

/** Local time, as the kubelet takes it. */
function stamp(time: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`;
  return `${date}-${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
