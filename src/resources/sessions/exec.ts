import type { Readable, Writable } from "node:stream";
import type { CallOptions, StreamKind } from "../../options.js";
import { pinDeadline } from "../../rpcs/budget.js";
import { attachUrl, execUrl } from "../../rpcs/stream-urls.js";
import { type OpenOptions, openRemoteCommand } from "../../streaming/open.js";
import type { RemoteCommand, RemoteCommandStreams } from "../../streaming/transport.js";
import { type OpenSession, traceSession } from "../../tracing/session.js";
import { compact } from "../../tracing/subject.js";
import type { ClientContext } from "../context.js";
import { checkCommand, checkCommandTimeout } from "./check-command.js";
import { Killer } from "./kill-on-abort.js";
import { openSession, originOf, type SessionOptions } from "./open-session.js";
import { AttachSession, ExecSession } from "./session.js";
import { type AttachOptions, checkStreams, type ExecOptions, type StreamOptions } from "./stream-options.js";
import { TimeLimits } from "./time-limits.js";

/** Starts a command in a running container and connects its streams. The type parameters must fit the options. */
export async function exec<
  In extends Writable | null = Writable | null,
  Out extends Readable | null = Readable | null,
  Err extends Readable | null = Readable | null,
>(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<ExecSession<In, Out, Err>> {
  checkCommand(command);
  const { commandTimeoutSeconds = 0, killOnAbort = false } = options;
  checkCommandTimeout(commandTimeoutSeconds);
  const streams = checkStreams(options);
  const killer = killOnAbort || commandTimeoutSeconds > 0 ? new Killer(context, containerId) : undefined;
  const request = { containerId, cmd: killer?.mark(command) ?? [...command], ...streams };
  // The command may start before the session is open, so both limits and the killer are set up first.
  const pinned = pinDeadline(options);
  const origin = originOf(context, "exec");
  const limits = new TimeLimits(context, origin, pinned, commandTimeoutSeconds);
  const session = traceCommand(context, "exec", containerId, pinned.signal, async () => {
    const remote = await openRemote(context, "exec", { ...pinned, limits }, streams, (o) =>
      execUrl(context.connection, request, o),
    );
    const opened = new ExecSession<In, Out, Err>(remote, origin, request.cmd[0] ?? "");
    return { remote, session: opened, ended: opened.exit };
  });
  killer?.guard(session, killOnAbort ? limits.signal : limits.commandTimedOut);
  return session;
}

/** Connects to the streams of a container's main process. Earlier output is not sent. */
export async function attach<
  In extends Writable | null = Writable | null,
  Out extends Readable | null = Readable | null,
  Err extends Readable | null = Readable | null,
>(context: ClientContext, containerId: string, options: AttachOptions = {}): Promise<AttachSession<In, Out, Err>> {
  const streams = checkStreams(options);
  const request = { containerId, ...streams };
  const pinned = pinDeadline(options);
  const origin = originOf(context, "attach");
  const limits = new TimeLimits(context, origin, pinned, 0);
  return traceCommand(context, "attach", containerId, pinned.signal, async () => {
    const remote = await openRemote(context, "attach", { ...pinned, limits }, streams, (o) =>
      attachUrl(context.connection, request, o),
    );
    const session = new AttachSession<In, Out, Err>(remote, origin);
    return { remote, session, ended: session.ended };
  });
}

/** Opens the session of a command, and publishes it to listeners. */
async function traceCommand<T>(
  { connection }: ClientContext,
  name: "exec" | "attach",
  containerId: string,
  signal = connection.signal,
  open: () => Promise<{ remote: RemoteCommand; session: T; ended: OpenSession["ended"] }>,
): Promise<T> {
  const request = { name, endpoint: connection.endpoint, subject: compact({ containerId }), signal };
  const { session } = await traceSession(request, open, ({ remote, ended }) => ({
    transport: remote.transport,
    ended,
    traffic: () => ({ sentBytes: remote.stdinBytes, receivedBytes: remote.outputBytes }),
  }));
  return session;
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
