import { isAbsolute, win32 } from "node:path";
import { CriError } from "../../errors.js";
import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { invalid } from "../../input/check.js";
import { linkAbort } from "../../internal/abort.js";
import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";
import { LogStream } from "../../logs/log-stream.js";
import { readLogFile } from "../../logs/read-log-file.js";
import { type LogOptions, logFields } from "../../logs/read-options.js";
import { checkReadOptions } from "../../logs/read-settings.js";
import type { StreamLimits } from "../../options.js";
import { ContainerState, type ContainerStatus } from "../../proto.js";
import { streamLimit } from "../../rpcs/budget.js";
import { containerStatus } from "../../rpcs/containers.js";
import { isDocker } from "../../rpcs/runtime.js";
import type { ClientContext } from "../context.js";
import { canWrite, LogWriters } from "./log-writers.js";

/** Options of `container.logs()`: the part of the log to read, and how. */
export interface ContainerLogOptions extends LogOptions, StreamLimits {
  /**
   * Reads the log of the previous attempt. containerd and CRI-O keep it after its container is removed; Docker removes both.
   *
   * @defaultValue false
   */
  previous?: boolean | undefined;
  /**
   * Waits for a container that was created but not started, instead of failing. Requires `follow`.
   *
   * @defaultValue false
   */
  waitForStart?: boolean | undefined;
  /**
   * Converts a log path of the runtime to a path on this machine, for a program in a container that has the node's file system
   * mounted elsewhere.
   *
   * @defaultValue the path is not converted
   */
  localPath?: ((logPath: string) => string) | undefined;
}

const containerLogFields: FieldsOf<ContainerLogOptions> = {
  ...logFields,
  previous: true,
  waitForStart: true,
  localPath: true,
  timeoutMs: true,
  deadline: true,
};

/** The callbacks and signal of a reader that merges several logs. */
export interface LogFollower {
  /** Aborts when the container can no longer write. */
  writerEnded: AbortSignal;
  /** Called whenever the log has been read to its current end. */
  onWait: () => void;
}

/** Reads the log file of a container. ContainerStatus returns its path, and whether the container runs. */
export function containerLogs(
  { connection, watcher }: Pick<ClientContext, "connection" | "watcher">,
  id: string,
  options: ContainerLogOptions = {},
  follower?: LogFollower,
): LogStream<LogEntry | LogBytesEntry> {
  checkOptions(options, containerLogFields);
  const { previous = false, waitForStart = false, localPath = (path: string) => path, signal, ...rest } = options;
  const { timeoutMs: _timeoutMs, deadline: _deadline, ...reading } = rest;
  checkReadOptions(reading);
  checkLocalPath(localPath);
  const follow = (reading.follow ?? false) && !previous;
  const { endpoint } = connection;
  let file: LogStream<LogEntry | LogBytesEntry> | undefined;
  async function* open(until: AbortSignal) {
    const status = (await containerStatus(connection, id, false, { signal: until })).status;
    const isCreated = status.state === ContainerState.CONTAINER_CREATED;
    if (isCreated && !previous && !(waitForStart && follow)) throw notStarted(status, endpoint);
    const path = localPath(previous ? previousPath(status, endpoint) : pathOf(status, endpoint));
    const link = linkAbort(until);
    const writers =
      follow && !follower && canWrite(status)
        ? new LogWriters(watcher, { failed: (reason) => link.abort(reason) })
        : undefined;
    const writerEnded = follower?.writerEnded ?? writers?.endOf(status.id) ?? AbortSignal.abort();
    const { onWait } = follower ?? {};
    const waitForFile = isCreated && !previous;
    const isRunning = status.state === ContainerState.CONTAINER_RUNNING;
    // On Docker, a command may end before its log file exists.
    const mayAppear = !previous && (isRunning || (await isDocker(connection, { signal: until })));
    file = readLogFile(path, {
      ...reading,
      follow,
      waitForFile,
      appearsWithinMs: mayAppear ? appearsWithinMs : 0,
      writerEnded,
      onWait,
      signal: link.signal,
    });
    try {
      yield* file.batches();
    } finally {
      writers?.close();
      link.unlink();
    }
  }
  return new LogStream(
    open,
    () => file?.skippedLines ?? 0,
    signal ?? connection.signal,
    streamLimit(connection, options),
  );
}

/** Checks the `localPath` option. @throws InvalidInputError */
export function checkLocalPath(localPath: ContainerLogOptions["localPath"]): void {
  if (localPath !== undefined && typeof localPath !== "function") invalid("localPath", "must be a function", localPath);
}

/** How long a missing file may take to appear, in milliseconds: cri-dockerd links the log only after the container runs. */
const appearsWithinMs = 2_000;

/** The RPC to name in errors about a container's log: its reply contains the path of the log. */
const method = "RuntimeService/ContainerStatus";

/** Returns the absolute path of a container's log. @throws CriError `FAILED_PRECONDITION` for a container without one */
export function pathOf({ id, logPath }: ContainerStatus, endpoint: string): string {
  if (isAbsolute(logPath) || win32.isAbsolute(logPath)) return logPath;
  // Docker reports a relative path if CreateContainer did not include the log directory of the pod.
  const message =
    logPath === ""
      ? `container ${id} has no log: it was created without a log path, or its pod without a log directory`
      : `the log of container ${id} cannot be found: its path "${logPath}" is relative, because the container was created ` +
        "without the log directory of its pod; create it with a podConfig that has one";
  throw new CriError({ code: "FAILED_PRECONDITION", message, method, endpoint });
}

/** Returns the path of the previous attempt's log: Kubernetes' `<container>/<attempt>.log`, or our `<container>.<attempt>.log`. */
function previousPath(status: ContainerStatus, endpoint: string): string {
  const path = pathOf(status, endpoint);
  const attempt = status.metadata?.attempt ?? 0;
  const ending = new RegExp(`([./])${attempt}\\.log$`);
  if (attempt > 0 && ending.test(path)) return path.replace(ending, `$1${attempt - 1}.log`);
  throw new CriError({
    code: "NOT_FOUND",
    message:
      attempt > 0
        ? `the log of the previous attempt is unknown: ${path} does not end in ${attempt}.log`
        : `container ${status.id} is the first attempt, so there is no log of a previous one`,
    method,
    endpoint,
  });
}

function notStarted({ id }: ContainerStatus, endpoint: string): CriError {
  return new CriError({
    code: "FAILED_PRECONDITION",
    message: `container ${id} has not been started, so it has no log; set follow and waitForStart to wait for it`,
    method,
    endpoint,
  });
}
