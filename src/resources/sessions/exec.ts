import { attachUrl, execUrl } from "../../calls/stream-urls.js";
import { InvalidInputError } from "../../errors.js";
import type { CallOptions, StreamKind } from "../../options.js";
import { openRemoteCommand } from "../../streaming/open.js";
import type { RemoteCommand, RemoteCommandStreams, TerminalSize } from "../../streaming/transport.js";
import { checkCommand } from "../check-command.js";
import type { Core } from "../core.js";
import { Killer } from "./kill-on-abort.js";
import { opening, type SessionOptions } from "./opening.js";
import { AttachSession, ExecSession } from "./session.js";

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
   * Kill the command, and what it started, when `signal` aborts. Ending a session does not do that: containerd and CRI-O let the
   * command run on. It takes `sh`, `grep` and `kill` in the container: the command is started through `sh` with a mark in its
   * environment by which it is found again.
   *
   * @defaultValue false
   */
  killOnAbort?: boolean | undefined;
}

/** Exec: starts a command in a running container and connects its streams. */
export async function exec(
  core: Core,
  containerId: string,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<ExecSession> {
  checkCommand(command);
  const streams = checkStreams(options);
  const killer = options.killOnAbort ? new Killer(core, containerId) : undefined;
  const request = { containerId, cmd: killer?.mark(command) ?? [...command], ...streams };
  // The command may have started before the session is there.
  const opened = openRemote(core, "exec", options, streams, (o) => execUrl(core.connection, request, o));
  const session = opened.then((remote) => new ExecSession(remote, request.cmd[0] ?? ""));
  killer?.guard(session, options.signal ?? core.connection.signal);
  return session;
}

/** Attach: connects to the streams of a container's main process, from now on. */
export async function attach(core: Core, containerId: string, options: AttachOptions = {}): Promise<AttachSession> {
  const streams = checkStreams(options);
  const request = { containerId, ...streams };
  const remote = await openRemote(core, "attach", options, streams, (o) => attachUrl(core.connection, request, o));
  return new AttachSession(remote);
}

async function openRemote(
  core: Core,
  kind: StreamKind,
  options: SessionOptions & StreamOptions,
  streams: RemoteCommandStreams,
  requestUrl: (options: CallOptions) => Promise<string>,
): Promise<RemoteCommand> {
  const opened = await opening(core, kind, options, requestUrl, (how) => openRemoteCommand(streams, how), endOf);
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
