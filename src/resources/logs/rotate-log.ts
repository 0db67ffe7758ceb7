import { rename, stat } from "node:fs/promises";
import { CriError } from "../../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { logFailure } from "../../logs/log-failure.js";
import type { CallOptions } from "../../options.js";
import { ContainerState } from "../../proto.js";
import { containerStatus, reopenContainerLog } from "../../rpcs/containers.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { type ContainerLogOptions, pathOf } from "./container-logs.js";

/** Options of `container.rotateLog()`. */
export interface RotateLogOptions extends CallOptions, Pick<ContainerLogOptions, "localPath"> {}

const rotateLogFields: FieldsOf<RotateLogOptions> = { localPath: true, ...callOptionFields };

/**
 * Rotates a log as the kubelet does: renames it to `<log>.<YYYYMMDD-HHMMSS>`, then calls ReopenContainerLog. If that call fails,
 * renames the file back, unless the runtime has created a new file nevertheless.
 *
 * @returns the new path of the renamed file
 */
export const rotateLog = asWorkflow(
  { name: "container.rotateLog", subject: ([, id]) => ({ containerId: id }) },
  renameAndReopen,
);

async function renameAndReopen(connection: Connection, id: string, options: RotateLogOptions = {}): Promise<string> {
  checkOptions(options, rotateLogFields);
  const { localPath = (path: string) => path, ...callOptions } = options;
  const { status } = await containerStatus(connection, id, false, callOptions);
  if (status.state !== ContainerState.CONTAINER_RUNNING) {
    throw new CriError({
      code: "FAILED_PRECONDITION",
      message: `container ${id} is not running: only the log of a running container can be reopened`,
      method: "RuntimeService/ReopenContainerLog",
      endpoint: connection.endpoint,
    });
  }
  const path = localPath(pathOf(status, connection.endpoint));
  const rotated = await freeName(path);
  await rename(path, rotated).catch((error: unknown) => {
    throw logFailure(path, error);
  });
  try {
    await reopenContainerLog(connection, id, callOptions);
  } catch (error) {
    // If the reply was lost and the new file exists, the runtime no longer writes to the old one.
    if (!(await exists(path))) await rename(rotated, path).catch(() => {});
    throw error;
  }
  return rotated;
}

/** Returns a name that does not exist. A second rotation within one second gets the time of the next second, to keep the order. */
async function freeName(path: string): Promise<string> {
  for (let at = Date.now(); ; at += 1_000) {
    const name = `${path}.${stamp(new Date(at))}`;
    if (!(await exists(name)) && !(await exists(`${name}.gz`))) return name;
  }
}

/** Formats a time in the local time zone, as the kubelet does. */
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
