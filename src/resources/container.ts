import type { Readable } from "node:stream";
import { checkOptions } from "../input/call-options.js";
import type { LogBytesEntry, LogEntry } from "../logs/entry.js";
import type { LogStream } from "../logs/log-stream.js";
import type { CallOptions } from "../options.js";
import type { ContainerConfig, ContainerStats, ContainerStatus, PodSandboxConfig } from "../proto.js";
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
import { ContainerInspection } from "./inspection.js";
import type { LogFolder } from "./log-folder.js";
import { type ContainerLogOptions, containerLogs } from "./logs/container-logs.js";
import { type RotateLogOptions, rotateLog } from "./logs/rotate-log.js";
import type { CopyOptions } from "./sessions/copy/container-commands.js";
import type { CopyFromOptions } from "./sessions/copy/copy-from.js";
import type { CopyToOptions } from "./sessions/copy/copy-to.js";
import type { ArchiveData, FileData } from "./sessions/copy/file-data.js";
import type { ReadFileOptions } from "./sessions/copy/read-file.js";
import type { CopyFromResult } from "./sessions/copy/unpack.js";
import type { WriteFileOptions } from "./sessions/copy/write-file.js";
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

/**
 * A container, named by its id. The handle keeps no state: every method calls the runtime. `cri.containers.get(id)` does no I/O, so
 * a wrong id fails on the first call.
 */
export class Container {
  readonly kind = "container";
  /** The container id. */
  readonly id: string;
  // Private, because it contains the options of the client, credentials included.
  readonly #context: ClientContext;

  /** @internal */
  constructor(context: ClientContext, id: string) {
    this.id = id;
    this.#context = context;
  }

  /** Starts the container (StartContainer). If the reply is lost, the client checks the state of the container. */
  async start(options?: CallOptions): Promise<void> {
    const { connection } = this.#context;
    return startReconciled(connection, this.id, startBudget(connection, options, 1));
  }

  /**
   * Stops the container (StopContainer): sends its stop signal, and SIGKILL at the end of the grace period. Succeeds if the
   * container has stopped already or does not exist.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions(options, stopFields);
    const { gracePeriodSeconds, ...callOptions } = options;
    const { connection } = this.#context;
    const given = optionalSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    const budget = startBudget(connection, callOptions, undefined);
    await stopContainer(connection, this.id, given, budget);
  }

  /**
   * Removes the container, even if it is running: calls StopContainer, by default with SIGKILL at once, then RemoveContainer.
   * Succeeds if the container does not exist.
   */
  async remove(options: RemoveOptions = {}): Promise<void> {
    checkOptions(options, removeFields);
    const { gracePeriodSeconds = 0, ...callOptions } = options;
    const { connection } = this.#context;
    const seconds = wholeSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    await removeContainer(connection, this.id, seconds, startBudget(connection, callOptions, undefined));
  }

  /**
   * Returns the status of the container (ContainerStatus): state, exit code, times, image, mounts.
   *
   * @throws CriError `NOT_FOUND` if the container does not exist
   */
  async status(options?: CallOptions): Promise<ContainerStatus> {
    return (await containerStatus(this.#context.connection, this.id, false, options)).status;
  }

  /**
   * Returns the state of the container, by the name that the filter of `containers.list` takes.
   *
   * @throws CriError `NOT_FOUND` if the container does not exist
   */
  async state(options?: CallOptions): Promise<ContainerStateName> {
    return containerStateName((await this.status(options)).state);
  }

  /**
   * Returns the status with the runtime's verbose info, as `crictl inspect` shows it (ContainerStatus, verbose). The result also
   * has the values that the client reads from the info: process id, environment, mounts, runtime spec and configuration. Values
   * that the runtime does not report are `undefined`. `console.log` and `JSON.stringify` of the result show no values of
   * environment variables.
   */
  async inspect(options?: CallOptions): Promise<ContainerInspection> {
    return new ContainerInspection(await containerStatus(this.#context.connection, this.id, true, options));
  }

  /** Returns the resource usage of the container (ContainerStats): CPU, memory, swap and writable layer. */
  stats(options?: CallOptions): Promise<ContainerStats> {
    return containerStats(this.#context.connection, this.id, options);
  }

  /**
   * Waits until the container has exited. Pass `timeoutMs` or `signal`: if CRI-O is killed while it starts a container, it may
   * report the container as running for ever.
   *
   * @throws CriError `NOT_FOUND` if the container is removed first; `DEADLINE_EXCEEDED`, with the last known state in its message;
   *   `FAILED_PRECONDITION` if the runtime reports CONTAINER_UNKNOWN for longer than `watch.relistMs` (10 seconds by default)
   */
  wait(options?: CallOptions): Promise<ContainerExit> {
    return waitForExit(this.#context, this.id, options);
  }

  /**
   * Runs a command and waits until it ends (RPC ExecSync). Returns the exit code, and up to 16 MiB each of standard output and
   * standard error. The method is asynchronous: its name is that of the RPC. A non-zero exit code is a result, unless
   * `throwOnNonZero` is set.
   *
   * If the call is aborted, containerd kills the command, unless the command is still being started. CRI-O ignores the abort, and
   * kills the command up to 2 seconds after the `timeoutMs` or `deadline` of the call, if it has one. Docker never kills it.
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
   * is `null` unless it was requested. Close the session, or dispose of it, at the end. Closing or aborting the session does not
   * end the command unless `killOnAbort` is set.
   *
   * containerd drops the rest of the input, without an error, once the command has closed its standard output or error
   * (containerd#12734). Keep a shell running (`cat > file; true`), or write with `tee`.
   *
   * @throws CriError; `FAILED_PRECONDITION` if the container is not running. If the executable does not exist, `session.exit`
   *   rejects with `COMMAND_NOT_FOUND`.
   */
  async exec<const O extends ExecOptions = Record<never, never>>(
    command: readonly string[],
    options?: Exactly<O, ExecOptions>,
  ): Promise<ExecSession<StdinOf<O>, StdoutOf<O>, StderrOf<O>>> {
    // Checked here and not in exec(), which copies and interactive sessions call with more options.
    checkOptions<ExecOptions>(options, execFields);
    return exec(this.#context, this.id, command, options);
  }

  /**
   * Runs a command over a streaming session (RPC Exec) and waits until it ends. The result is that of {@link execSync}, but the
   * command can have input, and up to 1 GiB of output.
   *
   * @throws CriError as {@link exec}; `COMMAND_NOT_FOUND` if the executable does not exist, `RESOURCE_EXHAUSTED` for more output
   *   than `maxOutputBytes`, ExecError with `throwOnNonZero`
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
   * Runs a command on the local terminal, as `docker exec -it` does. If the input is not a terminal, it uses pipes. Resolves when
   * the command has ended and all its output is written, or when the user types the detach keys. After detaching, the command keeps
   * running, and you cannot attach to it again. In all cases, the local terminal is restored.
   *
   * @throws InvalidInputError before any I/O; otherwise the errors of {@link exec}, or the error of a local stream
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
   * its output, or when the user types the detach keys. After detaching, the process keeps running, and you can attach to it again.
   * For the exit code, call {@link wait}.
   *
   * @throws InvalidInputError before any I/O; otherwise the errors of {@link attach}, or the error of a local stream
   */
  attachInteractive(options?: AttachInteractiveOptions): Promise<{ detached: boolean }> {
    return attachInteractive(this.#context, this.id, options);
  }

  /**
   * Copies a file or folder into the container. The destination becomes a copy of the source; symlinks at the source path are
   * resolved. A file replaces a file or link. Files are added to an existing folder, or to the target of a link to one, and the
   * folder keeps its mode. A file never replaces a folder, and a folder never replaces a file. Missing parent folders are created.
   *
   * Modes, times, links and empty folders are kept. Sockets, pipes and devices in a folder are left out. The owner is the
   * container's user. A folder may be 256 levels deep, and file names must be UTF-8. The container needs `sh`, `tar`, `cat`,
   * `mkdir` and `ls`. A copy that fails or is aborted removes its destination if that did not exist before, with `rm`, and
   * `cri.close()` waits for that; it may leave some files in an existing folder, or a part of a replaced file. With `intoFolder`,
   * the source is copied into an existing folder under its own name. {@link writeFile} replaces a single file in one step.
   *
   * Links in a folder are copied and never followed. On Linux this holds even if another user replaces a file or folder with a link
   * during the copy: nothing from outside the local path reaches the container.
   *
   * Experimental: `C:\dir` or `C:/dir` is a path of a Windows container, which needs `tar.exe` (Windows 1803 and newer). Names that
   * Windows does not allow are refused.
   *
   * @throws InvalidInputError if the local path cannot be read or changes while it is read, if the container path is not absolute,
   *   or if only one of the two paths is a folder; CriError
   */
  async copyTo(localPath: string, containerPath: string, options?: CopyToOptions): Promise<void> {
    // Loaded when first used: most programs never copy.
    const { copyTo } = await import("./sessions/copy/copy-to.js");
    return copyTo(this.#context, this.id, localPath, containerPath, options);
  }

  /**
   * Copies a file or folder out of the container. The destination becomes a copy of the source; symlinks at the source path are
   * resolved. A file replaces a file or link. Files are added to an existing folder. A file never replaces a folder, and a folder
   * never replaces a file. Existing folders, at the local path or below it, keep their owner and mode. The container needs `tar`
   * and `ls`.
   *
   * Modes (except setuid and setgid), times, hard and symbolic links and empty folders are kept. The owner is this process's user.
   * Extended attributes and ACLs are left out. Devices and named pipes are left out, and the result lists them. `tar` itself leaves
   * out sockets.
   *
   * The container may be malicious. The client accepts only plain archives, in the formats v7, ustar, PAX and GNU tar. It refuses
   * the following with `INVALID_RESPONSE`:
   * - entries that lead out of the local path, or through a link
   * - archives that are compressed, truncated, or continue after their end
   * - sparse files, volumes, and entries of unknown types
   * - paths and link targets over 4,095 bytes, names over 255 bytes, and more than 256 nested folders
   * - hard links to anything but an earlier file, and entries of different kinds under the same name
   *
   * No link at or below the local path is followed, even if another user creates it during the copy. This needs Linux with `/proc`.
   * On other systems, root may copy only to folders that no other user may write to. A copy that would replace a mount point below
   * the local path, or write to it, is refused. The whole copy is checked before anything moves to its destination, and a copy that
   * fails or is aborted leaves nothing.
   *
   * Experimental: `C:\dir` or `C:/dir` is a path of a Windows container, which needs `tar.exe` (Windows 1803 and newer).
   *
   * @returns how much was copied, and what was left out
   * @throws InvalidInputError if the local path cannot be written, or only one of the two paths is a folder; CriError, with
   *   `NOT_FOUND` if there is no such file, and `RESOURCE_EXHAUSTED` beyond `maxBytes` or `maxEntries`
   */
  async copyFrom(containerPath: string, localPath: string, options?: CopyFromOptions): Promise<CopyFromResult> {
    const { copyFrom } = await import("./sessions/copy/copy-from.js");
    return copyFrom(this.#context, this.id, containerPath, localPath, options);
  }

  /**
   * Writes a file in the container, from a string (as UTF-8), bytes, or a stream of either. The file replaces a file or link, never
   * a folder. Missing parent folders are created. The owner is the container's user. The mode is `mode`, even if the replaced file
   * had another one. The container needs `sh`, `tar`, `cat`, `mkdir`, `mv` and `rm`.
   *
   * The file appears at its path when it is complete: the container writes it under a temporary name in the same folder, then
   * renames it. If the call fails or is aborted, the path is unchanged, and the container removes the temporary file; `cri.close()`
   * waits for that. The temporary file (`.k8s-cri-client-…`) can stay only if this program or the connection ends first. A file
   * that is a mount of its own, such as `/etc/hosts`, cannot be replaced.
   *
   * `tar` needs the size of the file first. A stream goes straight to the container if you pass its `size`. Otherwise the stream is
   * first stored on this machine: up to 1 MiB in memory, more in a temporary file. That file has no name, so it never outlives this
   * program.
   *
   * ```ts
   * await container.writeFile("/etc/app.json", JSON.stringify({ port: 8080 }), { mode: 0o600 });
   * ```
   *
   * @throws InvalidInputError if the path is a folder, or the data is longer or shorter than `size`; the error of the stream;
   *   CriError, with `RESOURCE_EXHAUSTED` beyond `maxBytes`
   */
  async writeFile(containerPath: string, data: FileData, options?: WriteFileOptions): Promise<void> {
    const { writeFile } = await import("./sessions/copy/write-file.js");
    return writeFile(this.#context, this.id, containerPath, data, options);
  }

  /**
   * Reads a file in the container: as a `Buffer`, or as a string with `encoding: "utf8"`. Symlinks are followed. Files in `/proc`
   * and `/sys` can be read as well. The container needs `cat`.
   *
   * ```ts
   * const hosts = await container.readFile("/etc/hosts", { encoding: "utf8" });
   * ```
   *
   * @throws InvalidInputError if the path is a folder; CriError, with `NOT_FOUND` if there is no such file, and
   *   `RESOURCE_EXHAUSTED` beyond `maxBytes` (16 MiB by default)
   */
  async readFile(containerPath: string, options: ReadFileOptions & { encoding: "utf8" }): Promise<string>;
  async readFile(
    containerPath: string,
    options?: ReadFileOptions & { encoding?: "buffer" | undefined },
  ): Promise<Buffer>;
  async readFile(containerPath: string, options?: ReadFileOptions): Promise<Buffer | string>;
  async readFile(containerPath: string, options?: ReadFileOptions): Promise<Buffer | string> {
    const { readFile } = await import("./sessions/copy/read-file.js");
    return readFile(this.#context, this.id, containerPath, options);
  }

  /**
   * Unpacks a tar archive into an existing folder of the container, as Docker's `PUT /containers/{id}/archive` does. Entries
   * replace files and links; `tar` in the container decides about conflicts and about entries that lead out of the folder. Modes
   * and times are kept, and the owner is the container's user. The archive must not be compressed. The container needs `sh`, `tar`
   * and `cat`.
   *
   * A call that fails or is aborted may leave some of the files in the folder.
   *
   * @param archive the archive, as bytes or a stream
   * @throws InvalidInputError if the data is not a tar archive, or is compressed; the error of the stream; CriError, with
   *   `NOT_FOUND` if there is no such folder
   */
  async putArchive(containerDir: string, archive: ArchiveData, options?: CopyOptions): Promise<void> {
    const { putArchive } = await import("./sessions/copy/put-archive.js");
    return putArchive(this.#context, this.id, containerDir, archive, options);
  }

  /**
   * Returns a stream of a plain tar archive of a file or folder in the container. Symlinks at the path are resolved. The archive of
   * a file has one entry, with the name of the file. The entries of a folder are relative to it and begin with `./`, so
   * {@link putArchive} can unpack them elsewhere. The container needs `tar` and `ls`.
   *
   * **The archive is what the container sends, unchecked.** A malicious container can send any bytes, of any length: entries with
   * `..` or absolute paths, links that lead out of the folder, or no archive at all. Store or forward it, limit its size, and
   * unpack it only with a library that refuses such entries; {@link copyFrom} unpacks safely.
   *
   * The stream ends only if `tar` succeeded, and emits an error otherwise. Read it to its end or destroy it: destroying it ends the
   * session. Without `signal`, `timeoutMs` or `deadline` it has no time limit.
   *
   * @throws InvalidInputError; CriError, with `NOT_FOUND` if there is no such file
   */
  async getArchive(containerPath: string, options?: CopyOptions): Promise<Readable> {
    const { getArchive } = await import("./sessions/copy/get-archive.js");
    return getArchive(this.#context, this.id, containerPath, options);
  }

  /**
   * Restarts the container as a kubelet does. CRI cannot start a container twice, so the client creates a container from the same
   * configuration with the next attempt number, and starts it. This handle still names the old container.
   */
  async restart(options?: RestartOptions): Promise<OwnedContainer> {
    return new OwnedContainer(this.#context, await restart(this.#context.connection, this, options));
  }

  /** Updates the resources of a created or running container (UpdateContainerResources). Omitted fields keep their values. */
  updateResources(update: ContainerResourcesUpdate, options?: CallOptions): Promise<void> {
    return updateContainer(this.#context.connection, this.id, update, options);
  }

  /**
   * Writes the state of the container to an archive (CheckpointContainer). Requires CRIU on the node. Since Kubernetes 1.25.
   */
  checkpoint(options: CheckpointOptions): Promise<void> {
    return checkpointContainer(this.#context.connection, this.id, options);
  }

  /**
   * Streams the log of the container line by line, from the file that the runtime writes on its node. With `follow`, the stream
   * ends when the container has ended and its whole log was read. You can iterate over the stream once. Leaving the loop, `close()`
   * and aborting the `signal` end it.
   *
   * ```ts
   * for await (const { stream, text } of container.logs({ follow: true, tailLines: 10 })) console.log(stream, text);
   * ```
   *
   * The loop throws a `CriError`: `NOT_FOUND` if the container or its log file does not exist, `FAILED_PRECONDITION` if the
   * container was not started or has no log. This program must run on the node of the runtime.
   *
   * @throws InvalidInputError for invalid options
   */
  logs(options: ContainerLogOptions & { encoding: "buffer" }): LogStream<LogBytesEntry>;
  logs(options?: ContainerLogOptions & { encoding?: "utf8" | undefined }): LogStream;
  logs(options?: ContainerLogOptions): LogStream | LogStream<LogBytesEntry>;
  logs(options?: ContainerLogOptions): LogStream<LogEntry | LogBytesEntry> {
    return containerLogs(this.#context, this.id, options);
  }

  /**
   * Rotates the log of a running container as the kubelet does: renames the file to `<log>.<YYYYMMDD-HHMMSS>`, then calls
   * ReopenContainerLog. If that call fails, the client restores the name. Followers lose no lines.
   *
   * @returns the new path of the renamed file
   * @throws CriError; `FAILED_PRECONDITION` if the container is not running, `NOT_FOUND` if its log is not on this machine
   */
  rotateLog(options?: RotateLogOptions): Promise<string> {
    return rotateLog(this.#context.connection, this.id, options);
  }

  /**
   * Makes the runtime continue the log of a running container in a new file, after you renamed the old one (ReopenContainerLog).
   */
  reopenLog(options?: CallOptions): Promise<void> {
    return reopenContainerLog(this.#context.connection, this.id, options);
  }

  /**
   * Returns the URL of an exec session (RPC Exec). The URL is valid for one connection within a minute. It contains its own
   * authorisation, so treat it as a secret.
   */
  async execUrl(command: readonly string[], options?: StreamUrlOptions): Promise<string> {
    return requestExecUrl(this.#context.connection, this.id, command, options);
  }

  /** Returns the URL of a session with the container's main process (RPC Attach), under the conditions of {@link execUrl}. */
  async attachUrl(options?: StreamUrlOptions): Promise<string> {
    return requestAttachUrl(this.#context.connection, this.id, options);
  }
}

/**
 * A container that this program created. Disposing of the handle stops and removes the container.
 *
 * ```ts
 * await using web = await cri.runContainerInSandbox(pod, { name: "web", image: "docker.io/library/nginx:1.29" });
 * ```
 */
export class OwnedContainer extends Container implements AsyncDisposable {
  /** The pod sandbox that the container is in. */
  readonly podSandboxId: string;
  /** Whether another program created the container, and this one took it over with `adopt`. */
  readonly adopted: boolean;
  readonly #context: ClientContext;
  readonly #config: ContainerConfig;
  readonly #podConfig: PodSandboxConfig;
  readonly #ownership = new Ownership();
  readonly #logFolder: LogFolder | undefined;
  /** The grace period of {@link stop} and disposal, in seconds, from the spec of the container or its pod. */
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

  /**
   * The configuration as it was sent. `console.log` and `JSON.stringify` do not show it, because its `envs` may contain secrets.
   */
  get config(): ContainerConfig {
    return this.#config;
  }

  /** The configuration of the pod, as CreateContainer repeated it. */
  get podConfig(): PodSandboxConfig {
    return this.#podConfig;
  }

  /** @internal The folders that were created for the log. The next attempt writes its log there, too. */
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

  /** Gives up ownership: disposal then does nothing. Returns a borrowed handle. */
  release(): Container {
    this.#ownership.release();
    return new Container(this.#context, this.id);
  }

  /**
   * Stops the container, with {@link terminationGracePeriodSeconds} or else at once, and removes it. Calling it again does nothing.
   *
   * Disposal has a time limit of its own, one minute plus the grace period, and retries while the runtime restarts. Disposing of a
   * removed container succeeds. Any other failure rejects; you can then try again.
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
