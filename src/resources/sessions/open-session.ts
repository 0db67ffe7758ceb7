import { InvalidInputError } from "../../errors.js";
import { linkAbort } from "../../internal/abort.js";
import type { CallOptions, StreamKind } from "../../options.js";
import { callOptionsOf, pinDeadline } from "../../rpcs/budget.js";
import { defaultHandshakeTimeoutMs } from "../../streaming/handshake.js";
import type { OpenOptions } from "../../streaming/open.js";
import type { StreamTransport } from "../../streaming/transport.js";
import { resolveStreamUrls } from "../../streaming/url.js";
import type { ClientContext } from "../context.js";

/**
 * Options of everything that opens a streaming session. `timeoutMs` and `deadline` limit exec and attach as a whole, opening and
 * life: a session that reaches them breaks with `DEADLINE_EXCEEDED`, and without them it may last for ever. Of a port-forward they
 * limit making each connection. {@link handshakeTimeoutMs} limits a part of the opening alone.
 */
export interface SessionOptions extends CallOptions {
  /** Cancels opening the session, and ends the session later: it then breaks with `signal.reason`. Closing the client does so too. */
  signal?: AbortSignal | undefined;
  /** The wire protocol to use. @defaultValue SPDY, and WebSocket where the runtime does not speak that */
  transport?: StreamTransport | undefined;
  /** How long the streaming server may take to accept the session, in milliseconds. @defaultValue 10000 */
  handshakeTimeoutMs?: number | undefined;
  /**
   * How often to send a ping, in milliseconds. A session on which nothing arrives until the next ping is due, not even the answer to
   * the last one, breaks with `UNAVAILABLE`: the node or the network in between is gone. A session whose reader is slow is
   * exempt, and so is one with more than 64 KiB of input that the command may not have read, which TCP's own retransmissions watch
   * over. 0 for no pings.
   *
   * @defaultValue 30000
   */
  pingIntervalMs?: number | undefined;
}

/**
 * Opens a session of any kind: checks the options that all have in common, and ends the session when the caller's signal aborts or
 * the client is closed.
 *
 * @param ended settles when the session is over
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
    !(Number.isFinite(pingIntervalMs) && pingIntervalMs >= 0 && pingIntervalMs <= longestPauseMs)
  ) {
    const message = `must be a number of milliseconds from 0, for no pings, to ${longestPauseMs}`;
    throw new InvalidInputError({ field: "pingIntervalMs", message, value: pingIntervalMs });
  }
  const { closing, options: client } = context.connection;
  const { endpoint, allowInsecureTcp, tls, streamTls, streamUrl: hook } = client;
  const endpointHost = endpoint.kind === "tcp" ? endpoint.host : undefined;
  const mustBeSecure = endpoint.kind === "tcp" && endpoint.tls && !allowInsecureTcp;
  const callOptions = callOptionsOf(pinDeadline(options));
  const link = linkAbort(options.signal ?? context.connection.signal, ...closing);
  try {
    const session = await open({
      transport,
      memory: context.streamMemory,
      dial: () => ({
        signal: link.signal,
        handshakeTimeoutMs: Math.min(handshakeTimeoutMs ?? defaultHandshakeTimeoutMs, leftMs(callOptions.deadline)),
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
    throw error;
  }
}

/** Longest interval of a timer of Node.js. */
const longestPauseMs = 2 ** 31 - 1;

function leftMs(deadline: Date | undefined): number {
  return deadline ? Math.max(1, deadline.getTime() - Date.now()) : Number.POSITIVE_INFINITY;
}
