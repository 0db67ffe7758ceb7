import { isAbsolute, win32 } from "node:path";
import { CriError } from "../../errors.js";
import { invalid } from "../../input/check.js";
import { linkAbort } from "../../internal/abort.js";
import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";
import { LogStream } from "../../logs/log-stream.js";
import { readLogFile } from "../../logs/read-log-file.js";
import type { LogOptions } from "../../logs/read-options.js";
import { checkReadOptions } from "../../logs/read-settings.js";
import type { StreamLimits } from "../../options.js";
import { ContainerState, type ContainerStatus } from "../../proto.js";
import { streamLimit } from "../../rpcs/budget.js";
import { containerStatus } from "../../rpcs/containers.js";
import { isDocker } from "../../rpcs/runtime.js";
import type { ClientContext } from "../context.js";
import { canWrite, LogWriters } from "./log-writers.js";

/** Which part of a container's log to read, and how. */
export interface ContainerLogOptions extends LogOptions, StreamLimits {
  /**
   * Read the log of the attempt before this one. It outlives its container on containerd and CRI-O; Docker removes it with the container.
   *
   * @defaultValue false
   */
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

/** How someone who follows several logs follows one of them. */
export interface LogFollower {
  /** Aborts when the container can write no more. */
  writerEnded: AbortSignal;
  /** Called whenever all that was there has been read. */
  onWait: () => void;
}

/** The log of a container: its path and its state come from ContainerStatus, its lines from the file. */
export function containerLogs(
  { connection, watcher }: Pick<ClientContext, "connection" | "watcher">,
  id: string,
  options: ContainerLogOptions = {},
  follower?: LogFollower,
): LogStream<LogEntry | LogBytesEntry> {
  const { previous = false, waitForStart = false, localPath = (path: string) => path, signal, ...reading } = options;
  checkReadOptions(reading);
  checkLocalPath(localPath);
  const follow = (reading.follow ?? false) && !previous;
  let file: LogStream<LogEntry | LogBytesEntry> | undefined;
  async function* open(until: AbortSignal) {
    const status = (await containerStatus(connection, id, false, { signal: until })).status;
    const isCreated = status.state === ContainerState.CONTAINER_CREATED;
    if (isCreated && !previous && !(waitForStart && follow)) throw notStarted(status);
    const path = localPath(previous ? previousPath(status) : pathOf(status));
    const link = linkAbort(until);
    const writers =
      follow && !follower && canWrite(status)
        ? new LogWriters(watcher, { failed: (reason) => link.abort(reason) })
        : undefined;
    const writerEnded = follower?.writerEnded ?? writers?.endOf(status.id) ?? AbortSignal.abort();
    const { onWait } = follower ?? {};
    const waitForFile = isCreated && !previous;
    const isRunning = status.state === ContainerState.CONTAINER_RUNNING;
    // A command may end before Docker's log of it is there.
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

/** @throws InvalidInputError */
export function checkLocalPath(localPath: ContainerLogOptions["localPath"]): void {
  if (localPath !== undefined && typeof localPath !== "function") invalid("localPath", "must be a function", localPath);
}

/** cri-dockerd links the log of a container only after the container runs. In milliseconds. */
const appearsWithinMs = 2_000;

/** The absolute path of a container's log. @throws CriError for a container without one */
export function pathOf({ id, logPath }: ContainerStatus): string {
  if (isAbsolute(logPath) || win32.isAbsolute(logPath)) return logPath;
  // Docker, of a container whose creation did not say where the logs of its pod are.
  const message =
    logPath === ""
      ? `container ${id} has no log: it was made without a log path, or its pod without a log directory`
      : `container ${id} has no log that can be found: its path "${logPath}" is relative, because the container was created without ` +
        "the log directory of its pod; create it with a podConfig that has one";
  throw new CriError({ code: "FAILED_PRECONDITION", message, method: "RuntimeService/ContainerStatus" });
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
