import { CriError, InvalidInputError } from "../../errors.js";
import { callOptionFields, type FieldsOf } from "../../input/call-options.js";
import { linkAbort } from "../../internal/abort.js";
import type { CallOptions, StreamKind } from "../../options.js";
import { callOptionsOf, pinDeadline } from "../../rpcs/budget.js";
import { defaultHandshakeTimeoutMs } from "../../streaming/handshake.js";
import type { OpenOptions } from "../../streaming/open.js";
import type { SessionOrigin, StreamTransport } from "../../streaming/transport.js";
import { resolveStreamUrls, sessionMethods } from "../../streaming/url.js";
import type { ClientContext } from "../context.js";

/**
 * Options of all methods that open a streaming session.
 *
 * For exec and attach, `timeoutMs` and `deadline` limit the whole session: at the limit it breaks with `DEADLINE_EXCEEDED`. By
 * default a session has no time limit. For a port-forward, they limit the opening of each connection. {@link handshakeTimeoutMs}
 * limits only the handshake.
 */
export interface SessionOptions extends CallOptions {
  /** Cancels opening the session, or breaks an open session with `signal.reason`. Closing the client also ends the session. */
  signal?: AbortSignal | undefined;
  /** The wire protocol. @defaultValue SPDY, or WebSocket if the runtime does not support SPDY */
  transport?: StreamTransport | undefined;
  /** Limits how long the streaming server may take to accept the session, in milliseconds. @defaultValue 10000 */
  handshakeTimeoutMs?: number | undefined;
  /**
   * The interval of pings, in milliseconds; 0 for no pings. If nothing arrives between two pings, not even the reply to the first
   * one, the session breaks with `UNAVAILABLE`, because the node or the network is down. Two kinds of sessions are exempt: those
   * whose output is read slowly, and those with more than 64 KiB of input that the command may not have read. For them, TCP
   * detects a lost connection.
   *
   * @defaultValue 30000
   */
  pingIntervalMs?: number | undefined;
}

export const sessionFields: FieldsOf<SessionOptions> = {
  transport: true,
  handshakeTimeoutMs: true,
  pingIntervalMs: true,
  ...callOptionFields,
};

/**
 * Opens a session of any kind. Checks the common options, and ends the session when the caller's signal aborts or the client is
 * closed.
 *
 * @param ended returns a promise that settles when the session has ended
 */
export async function openSession<T>(
  context: ClientContext,
  kind: StreamKind,
  options: SessionOptions,
  requestUrl: (options: CallOptions) => Promise<string>,
  open: (how: OpenOptions) => Promise<T>,
  ended: (session: T) => Promise<unknown>,
): Promise<T> {
  const { transport, handshakeTimeoutMs, pingIntervalMs } = options;
  if (transport !== undefined && transport !== "spdy" && transport !== "websocket") {
    throw new InvalidInputError({ field: "transport", message: 'must be "spdy" or "websocket"', value: transport });
  }
  if (handshakeTimeoutMs !== undefined && !(typeof handshakeTimeoutMs === "number" && handshakeTimeoutMs > 0)) {
    const message = "must be a number of milliseconds above 0";
    throw new InvalidInputError({ field: "handshakeTimeoutMs", message, value: handshakeTimeoutMs });
  }
  if (
    pingIntervalMs !== undefined &&
    !(Number.isFinite(pingIntervalMs) && pingIntervalMs >= 0 && pingIntervalMs <= maxTimerMs)
  ) {
    const message = `must be a number of milliseconds from 0, for no pings, to ${maxTimerMs}`;
    throw new InvalidInputError({ field: "pingIntervalMs", message, value: pingIntervalMs });
  }
  const { closing, options: client } = context.connection;
  const { endpoint, allowInsecureTcp, tls, streamTls, streamUrl: hook } = client;
  const endpointHost = endpoint.kind === "tcp" ? endpoint.host : undefined;
  const mustBeSecure = endpoint.kind === "tcp" && endpoint.tls && !allowInsecureTcp;
  const callOptions = callOptionsOf(pinDeadline(options));
  const link = linkAbort(options.signal ?? context.connection.signal, ...closing);
  const origin = originOf(context, kind);
  try {
    const session = await open({
      transport,
      memory: context.streamMemory,
      dial: () => ({
        origin,
        signal: link.signal,
        handshakeTimeoutMs: Math.min(
          handshakeTimeoutMs ?? defaultHandshakeTimeoutMs,
          remainingMs(callOptions.deadline),
        ),
        pingIntervalMs,
        tls: streamTls ?? tls,
      }),
      freshUrls: async () =>
        resolveStreamUrls(await requestUrl(callOptions), { endpointHost, mustBeSecure, hook, kind }),
    });
    ended(session).then(link.unlink, link.unlink);
    return session;
  } catch (error) {
    link.unlink();
    const isOurs = CriError.is(error) && !(error instanceof InvalidInputError) && error !== link.signal.reason;
    throw isOurs ? error.during(origin) : error;
  }
}

/** Returns the method and endpoint for the errors of a session. */
export function originOf({ connection }: ClientContext, kind: StreamKind): SessionOrigin {
  return { method: sessionMethods[kind], endpoint: connection.endpoint };
}

/** The longest interval of a timer in Node.js. */
const maxTimerMs = 2 ** 31 - 1;

function remainingMs(deadline: Date | undefined): number {
  return deadline ? Math.max(1, deadline.getTime() - Date.now()) : Number.POSITIVE_INFINITY;
}
