import { containerStatus } from "../../calls/containers.js";
import { CriError } from "../../errors.js";
import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";
import { LogStream } from "../../logs/log-stream.js";
import { readLogFile } from "../../logs/read-log-file.js";
import { checkReadOptions, type LogOptions } from "../../logs/read-options.js";
import { ContainerState, type ContainerStatus } from "../../proto.js";
import type { Connection } from "../../transport/connection.js";

/** Which part of a container's log to read, and how. */
export interface ContainerLogOptions extends LogOptions {
  /** Read the log of the attempt before this one, which outlives its container. @defaultValue false */
  previous?: boolean | undefined;
  /**
   * For a container that has been created but not started: wait until it is, rather than fail. Goes with `follow`.
   *
   * @defaultValue false
   */
  waitForStart?: boolean | undefined;
  /**
   * Where on this machine the runtime's log paths are, for a program in a container that has the node's file system somewhere else.
   *
   * @defaultValue the path as it is
   */
  localPath?: ((logPath: string) => string) | undefined;
}

/** What someone who reads several logs knows about one of them. */
export interface LogFollower {
  isRunning: () => boolean;
  onWait: () => void;
}

/** The log of a container: its path and its state come from ContainerStatus, its lines from the file. */
export function containerLogs(
  connection: Connection,
  id: string,
  options: ContainerLogOptions = {},
  follower?: LogFollower,
): LogStream<LogEntry | LogBytesEntry> {
  const { previous = false, waitForStart = false, localPath = (path: string) => path, signal, ...reading } = options;
  checkReadOptions(reading);
  let file: LogStream<LogEntry | LogBytesEntry> | undefined;
  async function* open(until: AbortSignal) {
    const status = (await containerStatus(connection, id, false, { signal: until })).status;
    const isCreated = status.state === ContainerState.CONTAINER_CREATED;
    if (isCreated && !previous && !(waitForStart && reading.follow)) throw notStarted(status);
    file = readLogFile(localPath(previous ? previousPath(status) : pathOf(status)), {
      ...reading,
      follow: reading.follow && !previous,
      waitForFile: isCreated && !previous,
      isRunning: follower?.isRunning ?? ((aborted) => isWriting(connection, id, waitForStart, aborted)),
      onWait: follower?.onWait,
      signal: until,
    });
    yield* file.batches();
  }
  return new LogStream(open, () => file?.skippedLines ?? 0, signal);
}

/** A runtime that is away for a moment does not stop its containers, and a container that is gone writes no more. */
async function isWriting(
  connection: Connection,
  id: string,
  waitForStart: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { state } = (await containerStatus(connection, id, false, { signal })).status;
    return state === ContainerState.CONTAINER_RUNNING || (waitForStart && state === ContainerState.CONTAINER_CREATED);
  } catch (error) {
    if (CriError.is(error, "NOT_FOUND")) return false;
    if (CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED")) return true;
    throw error;
  }
}

/** The absolute path of a container's log. @throws CriError for a container without one */
export function pathOf({ id, logPath }: ContainerStatus): string {
  if (logPath !== "") return logPath;
  throw new CriError({
    code: "FAILED_PRECONDITION",
    message: `container ${id} has no log: it was made without a log path, or its pod without a log directory`,
    method: "RuntimeService/ContainerStatus",
  });
}

/** Kubernetes' way to name logs, `<container>/<attempt>.log`, and this package's, `<container>.<attempt>.log`. */
function previousPath(status: ContainerStatus): string {
  const path = pathOf(status);
  const attempt = status.metadata?.attempt ?? 0;
  const ending = new RegExp(`([./])${attempt}\\.log$`);
  if (attempt > 0 && ending.test(path)) return path.replace(ending, `$1${attempt - 1}.log`);
  throw new CriError({
    code: "NOT_FOUND",
    message:
      attempt > 0
        ? `the log of the previous attempt is unknown: ${path} does not end in ${attempt}.log`
        : `container ${status.id} is the first attempt, there is no log of one before`,
    method: "RuntimeService/ContainerStatus",
  });
}

function notStarted({ id }: ContainerStatus): CriError {
  return new CriError({
    code: "FAILED_PRECONDITION",
    message: `container ${id} has not been started, so there is no log; follow with waitForStart waits for it`,
    method: "RuntimeService/ContainerStatus",
  });
}
