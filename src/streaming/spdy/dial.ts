import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import { InvalidInputError } from "../../errors.js";
import { linkAbort, onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import { drainOnWriteError } from "../drain-on-write-error.js";
import { Handshake, listOf } from "../handshake.js";
import { tlsOptionsFor } from "../tls.js";
import type { DialOptions } from "../transport.js";
import { SpdyConnection } from "./connection.js";
import { withResolvers } from "./with-resolvers.js";

/** {@link DialOptions} and the protocols to negotiate. */
export interface SpdyDialOptions extends DialOptions {
  /** The protocols to offer, best first. */
  protocols: readonly string[];
  /** Whether the session is an exec or attach. @defaultValue false */
  hasCommand?: boolean | undefined;
}

/** A connection and its negotiated protocol. */
export interface DialledSpdy {
  connection: SpdyConnection;
  /** One of the offered protocols. */
  protocol: string;
}

/**
 * Connects to a streaming server and upgrades to SPDY/3.1. This uses up the token in the URL, even if it fails.
 *
 * After the handshake, aborting the signal breaks every stream with the signal's reason.
 *
 * @param prepare runs as the last part of the handshake and counts toward its time limit, such as waiting for accepted streams
 * @throws CriError, or the signal's reason; UNIMPLEMENTED if the server uses another protocol, NOT_FOUND if it does not accept the
 *   token. No error contains the URL.
 */
export async function dialSpdy(
  url: URL,
  options: SpdyDialOptions,
  prepare?: (dialled: DialledSpdy) => Promise<unknown>,
): Promise<DialledSpdy> {
  const handshake = new Handshake(url, "SPDY/3.1", options.handshakeTimeoutMs);
  const link = linkAbort(options.signal);
  const stopTimer = startTimer(handshake.timeoutMs, () => link.abort(handshake.timedOut()));
  try {
    if (link.signal.aborted) throw link.signal.reason;
    const dialled = await upgrade(url, options, handshake, link.signal);
    try {
      await prepare?.(dialled);
    } catch (error) {
      const reason = link.signal.aborted ? link.signal.reason : error;
      dialled.connection.destroy(reason);
      throw reason;
    }
    void dialled.connection.closed.then(link.unlink);
    return dialled;
  } catch (error) {
    link.unlink();
    throw error;
  } finally {
    stopTimer();
  }
}

function upgrade(url: URL, options: SpdyDialOptions, handshake: Handshake, signal: AbortSignal): Promise<DialledSpdy> {
  const { promise, resolve, reject } = withResolvers<DialledSpdy>();
  const request = createRequest(url, options);
  handshake.watch(request);
  const stopListening = onAbort(signal, () => {
    reject(signal.reason);
    request.destroy();
  });
  request.on("upgrade", (response: IncomingMessage, socket: Socket, head: Buffer) => {
    try {
      const protocol = agreedProtocol(response, options.protocols, handshake);
      socket.setNoDelay(true);
      drainOnWriteError(socket);
      // Created synchronously, because the HTTP client has already removed its listeners from the socket.
      const { pingIntervalMs, hasCommand, origin } = options;
      const connection = new SpdyConnection(socket, { head, pingIntervalMs, hasCommand, origin });
      const stopGuarding = onAbort(signal, () => connection.destroy(signal.reason));
      void connection.closed.then(stopGuarding);
      resolve({ connection, protocol });
    } catch (error) {
      socket.destroy();
      reject(error);
    }
  });
  const onLoss = (cause?: Error) => reject(handshake.unreachable(cause));
  request.on("response", (response: IncomingMessage) => {
    // The response decides the error, even if the connection breaks before its end.
    request.off("error", onLoss).off("close", onLoss).on("error", ignore);
    void handshake.refused(response).then((error) => {
      reject(error);
      request.destroy();
    });
  });
  request.on("error", onLoss).on("close", onLoss);
  request.end();
  return promise.finally(stopListening);
}

function createRequest(url: URL, options: SpdyDialOptions): ClientRequest {
  const headers = {
    Connection: "Upgrade",
    Upgrade: "SPDY/3.1",
    "Content-Length": "0",
    "X-Stream-Protocol-Version": [...options.protocols],
  };
  // `agent: false` opens a new socket, which no agent of the process queues, proxies or reuses.
  const common = { method: "POST", headers, agent: false } as const;
  if (url.protocol === "https:") return requestHttps(url, { ...common, ...tlsOptionsFor(url, options.tls) });
  if (url.protocol === "http:") return requestHttp(url, common);
  throw new InvalidInputError({ field: "url", message: "must be an http: or https: URL" });
}

function agreedProtocol(response: IncomingMessage, offered: readonly string[], handshake: Handshake): string {
  const upgraded = listOf(response.headersDistinct.upgrade).some((name) => name.toLowerCase() === "spdy/3.1");
  const protocols = listOf(response.headersDistinct["x-stream-protocol-version"]);
  const protocol = offered.find((name) => protocols.includes(name));
  if (upgraded && protocol !== undefined) return protocol;
  const problem = upgraded ? "chose a protocol that was not offered" : "switched to a protocol other than SPDY/3.1";
  // No `mayHaveTakenEffect`: the server runs nothing before the client opens streams.
  throw handshake.failure({ code: "UNIMPLEMENTED", message: `the streaming server ${handshake.host} ${problem}` });
}

function ignore(): void {}
