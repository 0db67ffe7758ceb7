import { InvalidInputError } from "../../errors.js";
import type { CallOptions, StreamKind } from "../../options.js";
import { pinDeadline } from "../../rpcs/budget.js";
import { attachUrl, execUrl } from "../../rpcs/stream-urls.js";
import { type OpenOptions, openRemoteCommand } from "../../streaming/open.js";
import type { RemoteCommand, RemoteCommandStreams, TerminalSize } from "../../streaming/transport.js";
import type { ClientContext } from "../context.js";
import { checkCommand, checkCommandTimeout } from "./check-command.js";
import { Killer } from "./kill-on-abort.js";
import { openSession, type SessionOptions } from "./open-session.js";
import { AttachSession, ExecSession } from "./session.js";
import { TimeLimits } from "./time-limits.js";

/** Selects the streams of a session. */
export interface StreamOptions {
  /** Opens standard input. @defaultValue false */
  stdin?: boolean | undefined;
  /** Opens standard output. @defaultValue true */
  stdout?: boolean | undefined;
  /** Opens standard error. Must be false with `tty`, because a terminal merges both outputs. @defaultValue the opposite of `tty` */
  stderr?: boolean | undefined;
  /** Gives the command a terminal. For `attach`, pass what the container was created with. @defaultValue false */
  tty?: boolean | undefined;
  /** The initial size of the terminal. */
  terminalSize?: TerminalSize | undefined;
}

/** Options of `attach`. */
export interface AttachOptions extends SessionOptions, StreamOptions {}

/** Options of `exec`. */
export interface ExecOptions extends SessionOptions, StreamOptions {
  /**
   * Limits how long the command may run, in seconds; 0 for no limit. At the limit the client kills the command, and the session
   * fails with `COMMAND_TIMED_OUT`, as `execSync` does. CRI has no time limit for sessions, so the client kills the command in
   * the same way as {@link killOnAbort}, and the container must have the same programs. For a container without a shell, use
   * `execSync`: the runtime enforces its limit.
   *
   * @defaultValue 0
   */
  commandTimeoutSeconds?: number | undefined;
  /**
   * Kills the command and the processes that it started when `signal` aborts, or at `timeoutMs` or `deadline`. Without this
   * option, containerd and CRI-O let the command run on after the session ends.
   *
   * The container must have `sh`, `grep` and `kill`: `sh` starts the command with a mark in its environment, by which the client
   * finds the processes. If the program does not exist, the exit code is therefore 127, as shells report it, and the session does
   * not fail with `COMMAND_NOT_FOUND`.
   *
   * @defaultValue false
   */
  killOnAbort?: boolean | undefined;
}

/** Starts a command in a running container and connects its streams. */
export async function exec(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<ExecSession> {
  checkCommand(command);
  const { commandTimeoutSeconds = 0, killOnAbort = false } = options;
  checkCommandTimeout(commandTimeoutSeconds);
  const streams = checkStreams(options);
  const killer = killOnAbort || commandTimeoutSeconds > 0 ? new Killer(context, containerId) : undefined;
  const request = { containerId, cmd: killer?.mark(command) ?? [...command], ...streams };
  // The command may start before the session is open, so both limits and the killer are set up first.
  const pinned = pinDeadline(options);
  const limits = new TimeLimits(context, pinned, commandTimeoutSeconds);
  const opened = openRemote(context, "exec", { ...pinned, limits }, streams, (o) =>
    execUrl(context.connection, request, o),
  );
  const session = opened.then((remote) => new ExecSession(remote, request.cmd[0] ?? ""));
  killer?.guard(session, killOnAbort ? limits.signal : limits.commandTimedOut);
  return session;
}

/** Connects to the streams of a container's main process. Earlier output is not sent. */
export async function attach(
  context: ClientContext,
  containerId: string,
  options: AttachOptions = {},
): Promise<AttachSession> {
  const streams = checkStreams(options);
  const request = { containerId, ...streams };
  const pinned = pinDeadline(options);
  const limits = new TimeLimits(context, pinned, 0);
  const remote = await openRemote(context, "attach", { ...pinned, limits }, streams, (o) =>
    attachUrl(context.connection, request, o),
  );
  return new AttachSession(remote);
}

async function openRemote(
  context: ClientContext,
  kind: StreamKind,
  { limits, ...options }: SessionOptions & StreamOptions & { limits: TimeLimits },
  streams: RemoteCommandStreams,
  requestUrl: (options: CallOptions) => Promise<string>,
): Promise<RemoteCommand> {
  const { signal } = limits;
  const open = (how: OpenOptions) => openRemoteCommand(streams, how);
  const opened = await openSession(context, kind, { ...options, signal }, requestUrl, open, endOf).catch(
    (error: unknown) => {
      limits.release();
      throw error;
    },
  );
  limits.start(opened);
  if (options.terminalSize) opened.resize(options.terminalSize);
  return opened;
}

const endOf = (command: RemoteCommand) => command.closed;

/** Applies the defaults of the stream options. @throws InvalidInputError if no runtime accepts the combination */
export function checkStreams(options: StreamOptions) {
  const { stdin = false, stdout = true, tty = false, stderr = !tty } = options;
  if (tty && stderr) {
    throw new InvalidInputError({ field: "stderr", message: "must be false with tty: a terminal merges both outputs" });
  }
  if (!stdin && !stdout && !stderr) {
    throw new InvalidInputError({ field: "stdin, stdout, stderr", message: "one of them must be true" });
  }
  return { stdin, stdout, stderr, tty };
}
