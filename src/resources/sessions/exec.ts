import { InvalidInputError } from "../../errors.js";
import type { CallOptions, StreamKind } from "../../options.js";
import { pinDeadline } from "../../rpcs/budget.js";
import { attachUrl, execUrl } from "../../rpcs/stream-urls.js";
import { type OpenOptions, openRemoteCommand } from "../../streaming/open.js";
import type { RemoteCommand, RemoteCommandStreams, TerminalSize } from "../../streaming/transport.js";
import type { ClientContext } from "../context.js";
import { checkCommand, checkCommandTimeout } from "./check-command.js";
import { Killer } from "./kill-on-abort.js";
import { opening, type SessionOptions } from "./opening.js";
import { AttachSession, ExecSession } from "./session.js";
import { TimeLimits } from "./time-limits.js";

/** Which streams a session has. */
export interface StreamOptions {
  /** @defaultValue false */
  stdin?: boolean | undefined;
  /** @defaultValue true */
  stdout?: boolean | undefined;
  /** Cannot go with `tty`, which merges both. @defaultValue the opposite of `tty` */
  stderr?: boolean | undefined;
  /** Gives the command a terminal. For attach: must be what the container was created with. @defaultValue false */
  tty?: boolean | undefined;
  /** The size of the terminal to begin with. */
  terminalSize?: TerminalSize | undefined;
}

/** Options of attach. */
export interface AttachOptions extends SessionOptions, StreamOptions {}

/** Options of exec. */
export interface ExecOptions extends SessionOptions, StreamOptions {
  /**
   * How long the command may run, in seconds; 0 for no limit. It is then killed, and the session fails with `COMMAND_TIMED_OUT`, as
   * `execSync` does. CRI has no such limit for a session, so this package kills the command itself, in the same way and
   * with the same needs as {@link killOnAbort}. Where the container has no shell, use `execSync`, whose limit the runtime enforces.
   *
   * @defaultValue 0
   */
  commandTimeoutSeconds?: number | undefined;
  /**
   * Kill the command, and what it started, when `signal` aborts or `timeoutMs` or `deadline` is reached. Ending a session does not do that: containerd and CRI-O let the
   * command run on. It takes `sh`, `grep` and `kill` in the container: the command is started through `sh` with a mark in its
   * environment by which it is found again. A program that the container does not have is then exit code 127, as shells
   * report it, and not `COMMAND_NOT_FOUND`.
   *
   * @defaultValue false
   */
  killOnAbort?: boolean | undefined;
}

/** Exec: starts a command in a running container and connects its streams. */
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
  // The command may have started before the session is there.
  const pinned = pinDeadline(options);
  const limits = new TimeLimits(context, pinned, commandTimeoutSeconds);
  const opened = openRemote(context, "exec", { ...pinned, limits }, streams, (o) =>
    execUrl(context.connection, request, o),
  );
  const session = opened.then((remote) => new ExecSession(remote, request.cmd[0] ?? ""));
  killer?.guard(session, killOnAbort ? limits.signal : limits.commandTimedOut);
  return session;
}

/** Attach: connects to the streams of a container's main process, from now on. */
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
  const opened = await opening(context, kind, { ...options, signal }, requestUrl, open, endOf).catch(
    (error: unknown) => {
      limits.release();
      throw error;
    },
  );
  limits.begin(opened);
  if (options.terminalSize) opened.resize(options.terminalSize);
  return opened;
}

const endOf = (command: RemoteCommand) => command.closed;

/** The streams of a session as the RPC takes them. */
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
