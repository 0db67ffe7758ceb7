import { callOptionsOf, pinDeadline } from "../calls/budget.js";
import { attachUrl, execUrl } from "../calls/stream-urls.js";
import { InvalidInputError } from "../errors.js";
import { linkAbort } from "../internal/abort.js";
import type { CallOptions, StreamKind } from "../options.js";
import { type OpenOptions, openRemoteCommand } from "../streaming/open.js";
import { AttachSession, ExecSession } from "../streaming/session.js";
import type { RemoteCommand, RemoteCommandStreams, StreamTransport, TerminalSize } from "../streaming/transport.js";
import { resolveStreamUrl } from "../streaming/url.js";
import { checkCommand } from "./check-command.js";
import type { Core } from "./core.js";
import { killOnAbort } from "./kill-on-abort.js";

/** Options of everything that opens a streaming session. `timeoutMs` and `deadline` bound opening it, not its life. */
export interface SessionOptions extends CallOptions {
  /** Cancels opening the session, and ends the session later: it then breaks with `signal.reason`. Closing the client does so too. */
  signal?: AbortSignal | undefined;
  /** The wire protocol to use. @defaultValue SPDY, and WebSocket where the runtime does not speak that */
  transport?: StreamTransport | undefined;
  /** How long the streaming server may take to accept the session, in milliseconds. @defaultValue 10000 */
  handshakeTimeoutMs?: number | undefined;
}

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
  const { cmd, arm } = options.killOnAbort
    ? killOnAbort(core, containerId, command)
    : { cmd: [...command], arm: undefined };
  const request = { containerId, cmd, ...streams };
  const remote = await openRemote(core, "exec", options, streams, (o) => execUrl(core.connection, request, o));
  const session = new ExecSession(remote);
  arm?.(session, options.signal);
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

const endOf = (command: RemoteCommand) => command.status;

/**
 * Opens a session of any kind: checks the options that all have in common, and ends the session when the caller's signal aborts or
 * the client is closed.
 *
 * @param ended settles when the session is over
 */
export async function opening<T>(
  core: Core,
  kind: StreamKind,
  options: SessionOptions,
  requestUrl: (options: CallOptions) => Promise<string>,
  open: (how: OpenOptions) => Promise<T>,
  ended: (session: T) => Promise<unknown>,
): Promise<T> {
  const { transport, handshakeTimeoutMs } = options;
  if (transport !== undefined && transport !== "spdy" && transport !== "websocket") {
    throw new InvalidInputError({ field: "transport", message: 'must be "spdy" or "websocket"', value: transport });
  }
  if (handshakeTimeoutMs !== undefined && !(handshakeTimeoutMs > 0)) {
    const message = "must be a number of milliseconds above 0";
    throw new InvalidInputError({ field: "handshakeTimeoutMs", message, value: handshakeTimeoutMs });
  }
  const { closing, options: client } = core.connection;
  const { endpoint, tls, streamTls, streamUrl: hook } = client;
  const endpointHost = endpoint.kind === "tcp" ? endpoint.host : undefined;
  const callOptions = callOptionsOf(pinDeadline(options));
  const link = linkAbort(options.signal, ...closing);
  try {
    const session = await open({
      transport,
      memory: core.streamMemory,
      dial: () => ({
        signal: link.signal,
        handshakeTimeoutMs: Math.min(handshakeTimeoutMs ?? defaultHandshakeTimeoutMs, leftMs(callOptions.deadline)),
        tls: streamTls ?? tls,
      }),
      freshUrl: async () => resolveStreamUrl(await requestUrl(callOptions), { endpointHost, hook, kind }),
    });
    ended(session).then(link.unlink, link.unlink);
    return session;
  } catch (error) {
    link.unlink();
    throw error;
  }
}

/** How long a streaming server may take to accept a session unless told otherwise. */
const defaultHandshakeTimeoutMs = 10_000;

function leftMs(deadline: Date | undefined): number {
  return deadline ? Math.max(1, deadline.getTime() - Date.now()) : Number.POSITIVE_INFINITY;
}

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
