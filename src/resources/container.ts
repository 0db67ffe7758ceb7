import { checkOptions } from "../input/call-options.js";
import type { LogBytesEntry, LogEntry } from "../logs/entry.js";
import type { LogStream } from "../logs/log-stream.js";
import type { CallOptions } from "../options.js";
import type {
  ContainerConfig,
  ContainerStats,
  ContainerStatus,
  ContainerStatusResponse,
  PodSandboxConfig,
} from "../proto.js";
import { startBudget } from "../rpcs/budget.js";
import { containerStatus, reopenContainerLog } from "../rpcs/containers.js";
import { containerStats } from "../rpcs/stats.js";
import { type CheckpointOptions, checkpointContainer } from "./checkpoint.js";
import { type ContainerStateName, containerStateName } from "./container-filter.js";
import type { ClientContext } from "./context.js";
import { cleanUpOptions } from "./creation/clean-up.js";
import type { MadeContainer } from "./creation/made.js";
import { disposeTimeoutMs, Ownership } from "./creation/ownership.js";
import { type RestartOptions, restart } from "./creation/restart.js";
import { startReconciled } from "./creation/start.js";
import { optionalSeconds, wholeSeconds } from "./grace-period.js";
import type { LogFolder } from "./log-folder.js";
import { type ContainerLogOptions, containerLogs } from "./logs/container-logs.js";
import { type RotateLogOptions, rotateLog } from "./logs/rotate-log.js";
import type { CopyOptions } from "./sessions/copy/container-commands.js";
import type { CopyFromOptions } from "./sessions/copy/copy-from.js";
import type { CopyFromResult } from "./sessions/copy/unpack.js";
import { attach, exec } from "./sessions/exec.js";
import { type ExecOutputOptions, execOutput } from "./sessions/exec-output.js";
import type { ExecResult } from "./sessions/exec-result.js";
import { type ExecSyncOptions, execSync } from "./sessions/exec-sync.js";
import {
  type AttachInteractiveOptions,
  attachInteractive,
  type ExecInteractiveOptions,
  type ExecInteractiveResult,
  execInteractive,
} from "./sessions/interactive.js";
import type { AttachSession, ExecSession } from "./sessions/session.js";
import {
  type AttachOptions,
  attachFields,
  type Exactly,
  type ExecOptions,
  execFields,
  type StderrOf,
  type StdinOf,
  type StdoutOf,
} from "./sessions/stream-options.js";
import { requestAttachUrl, requestExecUrl, type StreamUrlOptions } from "./sessions/stream-url.js";
import {
  type RemoveOptions,
  removeContainer,
  removeFields,
  type StopOptions,
  stopContainer,
  stopFields,
} from "./stopping.js";
import { type ContainerResourcesUpdate, updateContainer } from "./update-resources.js";
import { type ContainerExit, waitForExit } from "./wait.js";

/** A status with the runtime's diagnostics. */
export type ContainerInspection = ContainerStatusResponse & { status: ContainerStatus };

/**
 * A container by its id. The handle keeps no state: every method asks the runtime. Made by `cri.containers.get(id)` without
 * I/O, so a wrong id shows on the first call.
 */
export class Container {
  readonly kind = "container";
  /** The container id. */
  readonly id: string;
  // Private, as whatever handles hold: the client's options are in there, credentials included.
  readonly #context: ClientContext;

  /** @internal */
  constructor(context: ClientContext, id: string) {
    this.id = id;
    this.#context = context;
  }

  /** StartContainer. A lost answer is settled by a look at the container's state. */
  async start(options?: CallOptions): Promise<void> {
    const { connection } = this.#context;
    return startReconciled(connection, this.id, startBudget(connection, options, 1));
  }

  /** StopContainer: the stop signal, then SIGKILL when the grace period is over. Succeeds on a stopped or missing container. */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions(options, stopFields);
    const { gracePeriodSeconds, ...callOptions } = options;
    const { connection } = this.#context;
    const given = optionalSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    const budget = startBudget(connection, callOptions, undefined);
    await stopContainer(connection, this.id, given, budget);
  }

  /** Removes the container, a running one by force: StopContainer, then RemoveContainer. Succeeds on a missing container. */
  async remove(options: RemoveOptions = {}): Promise<void> {
    checkOptions(options, removeFields);
    const { gracePeriodSeconds = 0, ...callOptions } = options;
    const { connection } = this.#context;
    const seconds = wholeSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    await removeContainer(connection, this.id, seconds, startBudget(connection, callOptions, undefined));
  }

  /** ContainerStatus: state, exit code, times, image, mounts. Throws `NOT_FOUND` once the container is removed. */
  async status(options?: CallOptions): Promise<ContainerStatus> {
    return (await containerStatus(this.#context.connection, this.id, false, options)).status;
  }

  /** The name of the container's state, as `containers.list` takes it. Throws `NOT_FOUND` once the container is removed. */
  async state(options?: CallOptions): Promise<ContainerStateName> {
    return containerStateName((await this.status(options)).state);
  }

  /** ContainerStatus with the runtime's own diagnostics, as `crictl inspect` shows them. */
  inspect(options?: CallOptions): Promise<ContainerInspection> {
    return containerStatus(this.#context.connection, this.id, true, options);
  }

  /** ContainerStats: CPU, memory, swap and writable layer. */
  stats(options?: CallOptions): Promise<ContainerStats> {
    return containerStats(this.#context.connection, this.id, options);
  }

  /**
   * Waits until the container has exited. Without `timeoutMs` or `signal` it can wait for ever: CRI-O, killed in the middle of a start,
   * reports a container as running whose process is gone. The error of a wait that takes too long names the last state.
   *
   * @throws CriError; `FAILED_PRECONDITION` if the runtime has lost track of the container and reports CONTAINER_UNKNOWN for one
   *   `watch.relistMs` (10 s by default), `NOT_FOUND` if the container is removed, `DEADLINE_EXCEEDED`
   */
  wait(options?: CallOptions): Promise<ContainerExit> {
    return waitForExit(this.#context, this.id, options);
  }

  /**
   * Runs a command to its end, asynchronously: the name is that of the RPC ExecSync. Returns the exit code and the output, of at most
   * 16 MiB each. A non-zero exit code is a result, unless `throwOnNonZero` is set.
   *
   * If the call is aborted, containerd kills the command, unless it is just being started. CRI-O does not kill it then, but up to 2
   * seconds after the deadline of the call. Docker never kills it.
   *
   * @throws CriError; `COMMAND_NOT_FOUND` if the executable does not exist, `COMMAND_TIMED_OUT` at `commandTimeoutSeconds`
   */
  execSync(
    command: readonly string[],
    options: ExecSyncOptions & { encoding: "buffer" },
  ): Promise<ExecResult<Uint8Array>>;
  execSync(
    command: readonly string[],
    options?: ExecSyncOptions & { encoding?: "utf8" | undefined },
  ): Promise<ExecResult>;
  execSync(command: readonly string[], options?: ExecSyncOptions): Promise<ExecResult | ExecResult<Uint8Array>>;
  execSync(command: readonly string[], options?: ExecSyncOptions): Promise<ExecResult | ExecResult<Uint8Array>> {
    return execSync(this.#context.connection, this.id, command, options);
  }

  /**
   * Runs a command and connects to its streams (RPC Exec). The types of `stdin`, `stdout` and `stderr` follow the options: a stream
   * is `null` unless it was requested. Close the session, or dispose of it, at the end. Closing or aborting the session does not end
   * the command unless `killOnAbort` is set.
   *
   * containerd drops the rest of the input, without an error, once the command has closed its standard output or error
   * (containerd#12734). Keep a shell running (`cat > file; true`), or write with `tee`.
   *
   * @throws CriError; `FAILED_PRECONDITION` if the container is not running. If the executable does not exist, `session.exit` rejects
   *   with `COMMAND_NOT_FOUND`.
   */
  async exec<const O extends ExecOptions = Record<never, never>>(
    command: readonly string[],
    options?: Exactly<O, ExecOptions>,
  ): Promise<ExecSession<StdinOf<O>, StdoutOf<O>, StderrOf<O>>> {
    // Not in exec() itself, which copies and interactive sessions call with options of their own.
    checkOptions<ExecOptions>(options, execFields);
    return exec(this.#context, this.id, command, options);
  }

  /**
   * Exec over a streaming session, run to its end: as {@link execSync}, with input, and for outputs beyond the 16 MiB of that.
   *
   * @throws CriError as {@link exec}; `COMMAND_NOT_FOUND` if there is no such executable, `RESOURCE_EXHAUSTED` beyond
   *   `maxOutputBytes`, ExecError on request
   */
  execOutput(
    command: readonly string[],
    options: ExecOutputOptions & { encoding: "buffer" },
  ): Promise<ExecResult<Uint8Array>>;
  execOutput(
    command: readonly string[],
    options?: ExecOutputOptions & { encoding?: "utf8" | undefined },
  ): Promise<ExecResult>;
  execOutput(command: readonly string[], options?: ExecOutputOptions): Promise<ExecResult | ExecResult<Uint8Array>>;
  execOutput(command: readonly string[], options?: ExecOutputOptions): Promise<ExecResult | ExecResult<Uint8Array>> {
    return execOutput(this.#context, this.id, command, options);
  }

  /**
   * Runs a command on the local terminal, as `docker exec -it` does, or on pipes where the input is none. Resolves when the command has ended and
   * all its output is written, or when the detach keys were typed: the command then runs on, and there is no coming back to it.
   * However it ends, the local terminal is as it was before.
   *
   * @throws InvalidInputError before any I/O; otherwise as {@link exec}, and the error of a local stream
   */
  execInteractive(command: readonly string[], options?: ExecInteractiveOptions): Promise<ExecInteractiveResult> {
    return execInteractive(this.#context, this.id, command, options);
  }

  /**
   * Connects to the streams of the container's main process (RPC Attach). Earlier output is not sent: read the log for it. Input
   * requires a container that was created with `stdin: true`. `tty` must be the same as in the container's spec. The types of the
   * streams follow the options, as with {@link exec}.
   *
   * containerd may leave out output just after the session begins and just before the process exits. The log is complete.
   *
   * @throws CriError; `FAILED_PRECONDITION` if the container is not running
   */
  async attach<const O extends AttachOptions = Record<never, never>>(
    options?: Exactly<O, AttachOptions>,
  ): Promise<AttachSession<StdinOf<O>, StdoutOf<O>, StderrOf<O>>> {
    checkOptions<AttachOptions>(options, attachFields);
    return attach(this.#context, this.id, options);
  }

  /**
   * Connects the local terminal to the container's main process, as `kubectl attach -it` does. Resolves when the process has closed
   * its output, or when the detach keys were typed: it then runs on and can be attached to again. The exit code is the
   * container's: {@link wait}.
   *
   * @throws InvalidInputError before any I/O; otherwise as {@link attach}, and the error of a local stream
   */
  attachInteractive(options?: AttachInteractiveOptions): Promise<{ detached: boolean }> {
    return attachInteractive(this.#context, this.id, options);
  }

  /**
   * Copies a file or folder into the container, by way of `tar`, `mkdir` and `ls` there. Afterwards the path in the container is
   * what the local one leads to: a file replaces a file or link; a folder that exists, or a link to one, is added to and keeps its
   * own mode. A file does not replace a folder, nor a folder a file.
   *
   * Modes, times, links and empty folders are kept; sockets, pipes and devices in a folder are left out; the owner is the
   * container's user. A folder may be 256 levels deep, and file names are UTF-8.
   *
   * Links in a folder are copied and never followed. On Linux, that holds for links that another user puts in the place of a file
   * or folder meanwhile, too: nothing from outside of the local path reaches the container.
   *
   * @throws InvalidInputError if the local path cannot be read or changes while it is read, the other one is not absolute, or one is
   * a folder and the other is not; CriError
   */
  async copyTo(localPath: string, containerPath: string, options?: CopyOptions): Promise<void> {
    // Loaded when first used: most programs never copy.
    const { copyTo } = await import("./sessions/copy/copy-to.js");
    return copyTo(this.#context, this.id, localPath, containerPath, options);
  }

  /**
   * Copies a file or folder out of the container, by way of `tar` and `ls` there. Afterwards the local path is what the one in
   * the container leads to: a file replaces a file or link; a folder that exists is added to. A file does not replace a folder,
   * nor a folder a file. Folders that exist, at the local path or below it, keep their owner and mode.
   *
   * Modes (but for setuid and setgid), times, hard and symbolic links and empty folders are kept. The owner is this process's
   * user. Extended attributes and ACLs are left out. So are devices and named pipes, which the result names, and sockets, which
   * `tar` itself leaves out.
   *
   * The container may be malicious. The archive must be a plain one, of v7, ustar, PAX or GNU tar. Refused with `INVALID_RESPONSE`:
   * - entries that lead out of the local path, or through a link
   * - archives that are compressed, truncated, or go on after their end
   * - sparse files, volumes, and entries of unknown types
   * - paths and link targets over 4,095 bytes, names over 255 bytes, and more than 256 folders within one another
   * - hard links to anything but a file before them, and names that stand for things of different kinds
   *
   * No link at or below the local path is followed, even if another user puts it there meanwhile. That takes Linux with `/proc`; elsewhere
   * root is refused to write to folders that others may write to. What is mounted below the local path is not replaced or written
   * to: a copy to there is refused. A copy that fails or is aborted leaves nothing, and all of it is checked before
   * anything moves to its place.
   *
   * @returns how much was copied, and what was left out
   * @throws InvalidInputError if the local path cannot be written, or one path is a folder and the other is not; CriError, with
   * `NOT_FOUND` if there is no such file, and `RESOURCE_EXHAUSTED` beyond `maxBytes` or `maxEntries`
   */
  async copyFrom(containerPath: string, localPath: string, options?: CopyFromOptions): Promise<CopyFromResult> {
    const { copyFrom } = await import("./sessions/copy/copy-from.js");
    return copyFrom(this.#context, this.id, containerPath, localPath, options);
  }

  /**
   * Restarts as a kubelet does: CRI cannot start a container twice, so a new one is created from the same configuration with
   * the next attempt number, and started. This handle stays with the old container.
   */
  async restart(options?: RestartOptions): Promise<OwnedContainer> {
    return new OwnedContainer(this.#context, await restart(this.#context.connection, this, options));
  }

  /** UpdateContainerResources of a created or running container. What is left out stays as it is. */
  updateResources(update: ContainerResourcesUpdate, options?: CallOptions): Promise<void> {
    return updateContainer(this.#context.connection, this.id, update, options);
  }

  /** CheckpointContainer, since Kubernetes 1.25: writes the container's state to an archive. Needs CRIU on the node. */
  checkpoint(options: CheckpointOptions): Promise<void> {
    return checkpointContainer(this.#context.connection, this.id, options);
  }

  /**
   * The container's log, line by line, from the file that the runtime writes on its node; with `follow` until the container has
   * ended and all of it was read. The stream is iterated once; leaving the loop, `close()` and an aborted `signal` end it.
   *
   * ```ts
   * for await (const { stream, text } of container.logs({ follow: true, tailLines: 10 })) console.log(stream, text);
   * ```
   *
   * The loop throws a `CriError`: `NOT_FOUND` if there is no such container or file (this program has to run on the runtime's
   * node), `FAILED_PRECONDITION` if the container has not been started or has no log.
   *
   * @throws InvalidInputError for options that make no sense
   */
  logs(options: ContainerLogOptions & { encoding: "buffer" }): LogStream<LogBytesEntry>;
  logs(options?: ContainerLogOptions & { encoding?: "utf8" | undefined }): LogStream;
  logs(options?: ContainerLogOptions): LogStream | LogStream<LogBytesEntry>;
  logs(options?: ContainerLogOptions): LogStream<LogEntry | LogBytesEntry> {
    return containerLogs(this.#context, this.id, options);
  }

  /**
   * Rotates the log of a running container as the kubelet does: renames it to `<log>.<YYYYMMDD-HHMMSS>`, then ReopenContainerLog. If
   * that fails the name is given back. Followers lose nothing. Returns the path that the log has now.
   *
   * @throws CriError; `FAILED_PRECONDITION` if the container is not running, `NOT_FOUND` if its log is not on this machine
   */
  rotateLog(options?: RotateLogOptions): Promise<string> {
    return rotateLog(this.#context.connection, this.id, options);
  }

  /** ReopenContainerLog, after the log file was renamed: the runtime goes on in a new file. Only for a running container. */
  reopenLog(options?: CallOptions): Promise<void> {
    return reopenContainerLog(this.#context.connection, this.id, options);
  }

  /**
   * Exec: requests the URL of a streaming session. The URL is good for one connection within a minute and carries its own
   * authorisation: treat it as a secret.
   */
  async execUrl(command: readonly string[], options?: StreamUrlOptions): Promise<string> {
    return requestExecUrl(this.#context.connection, this.id, command, options);
  }

  /** Attach: requests the URL of a streaming session with the container's main process; see {@link execUrl}. */
  async attachUrl(options?: StreamUrlOptions): Promise<string> {
    return requestAttachUrl(this.#context.connection, this.id, options);
  }
}

/**
 * A container that this program made: disposing of it stops and removes it.
 *
 * ```ts
 * await using web = await cri.runContainerInSandbox(pod, { name: "web", image: "docker.io/library/nginx:1.29" });
 * ```
 */
export class OwnedContainer extends Container implements AsyncDisposable {
  /** The pod sandbox that the container is in. */
  readonly podSandboxId: string;
  /** Something else had made the container, and it was taken over with `adopt`. */
  readonly adopted: boolean;
  readonly #context: ClientContext;
  readonly #config: ContainerConfig;
  readonly #podConfig: PodSandboxConfig;
  readonly #ownership = new Ownership();
  readonly #logFolder: LogFolder | undefined;
  /** From the spec of the container or its pod: how long {@link stop} and disposal let the process end by itself. */
  readonly terminationGracePeriodSeconds: number | undefined;

  /** @internal */
  constructor(context: ClientContext, made: MadeContainer) {
    super(context, made.id);
    this.#context = context;
    this.#config = made.config;
    this.#podConfig = made.podConfig;
    this.podSandboxId = made.podSandboxId;
    this.adopted = made.adopted;
    this.terminationGracePeriodSeconds = made.terminationGracePeriodSeconds;
    this.#logFolder = made.logFolder;
  }

  /** The configuration as it was sent. Its `envs` may hold secrets, so neither `console.log` nor `JSON.stringify` shows it. */
  get config(): ContainerConfig {
    return this.#config;
  }

  /** The configuration of its pod, which CreateContainer had to repeat. */
  get podConfig(): PodSandboxConfig {
    return this.#podConfig;
  }

  /** @internal The folders that were created for its log: the next attempt has its log there, too. */
  get logFolder(): LogFolder | undefined {
    return this.#logFolder;
  }

  /** Stops the container as a borrowed handle does, by default with {@link terminationGracePeriodSeconds}. */
  override async stop(options: StopOptions = {}): Promise<void> {
    checkOptions(options, stopFields);
    const { gracePeriodSeconds = this.terminationGracePeriodSeconds } = options;
    await super.stop({ ...options, gracePeriodSeconds });
  }

  /** Removes the container as a borrowed handle does, and the folder that was created for its log, if that is empty. */
  override async remove(options?: RemoveOptions): Promise<void> {
    await super.remove(options);
    await this.#logFolder?.removeIfEmpty();
  }

  /** Lets the container live on: disposal does nothing any more. Returns a borrowed handle. */
  release(): Container {
    this.#ownership.release();
    return new Container(this.#context, this.id);
  }

  /**
   * Stops the container, with the grace period of its spec if one is set there and at once otherwise, and removes it, once. Disposal
   * has a minute of its own beyond the grace period, and retries while the runtime restarts. Disposing of a removed container
   * succeeds; any other failure rejects, and disposal can be tried again.
   */
  dispose(): Promise<void> {
    return this.#ownership.dispose(async () => {
      const gracePeriodSeconds = this.terminationGracePeriodSeconds ?? 0;
      const timeoutMs = disposeTimeoutMs + 1_000 * gracePeriodSeconds;
      await this.remove({ ...cleanUpOptions(this.#context.connection, timeoutMs), gracePeriodSeconds });
    });
  }

  /** The same as {@link dispose}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
