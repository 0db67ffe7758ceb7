import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import { InvalidInputError } from "../../errors.js";
import { linkAbort, onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import { Handshake, listOf } from "../handshake.js";
import { readToTheEnd } from "../read-to-the-end.js";
import { tlsOptionsFor } from "../tls.js";
import type { DialOptions } from "../transport.js";
import { SpdyConnection } from "./connection.js";
import { withResolvers } from "./with-resolvers.js";

/** {@link DialOptions} and what to agree on. */
export interface SpdyDialOptions extends DialOptions {
  /** The protocols to offer, best first. */
  protocols: readonly string[];
  /** Whether it is an exec or attach. @defaultValue false */
  hasCommand?: boolean | undefined;
}

/** A connection on which a protocol was agreed. */
export interface DialledSpdy {
  connection: SpdyConnection;
  /** One of those on offer. */
  protocol: string;
}

/**
 * Connects to a streaming server and switches to SPDY/3.1. The token in the URL is used up by it, even if it fails.
 *
 * The signal goes on to guard the connection: aborting it breaks every stream with the signal's reason.
 *
 * @param prepare what else belongs to the handshake and its time, such as waiting for streams to be accepted
 * @throws CriError, or the signal's reason; UNIMPLEMENTED if the server speaks another protocol, NOT_FOUND if it does not know the
 *   token. None of them names the URL.
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
      readToTheEnd(socket);
      // At once: nobody else listens to the socket any more.
      const { pingIntervalMs, hasCommand } = options;
      const connection = new SpdyConnection(socket, { head, pingIntervalMs, hasCommand });
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
    // What was answered counts from here on, even if its rest is lost.
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
  // A socket of its own, which no pool of the process may hold back, proxy or use again.
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
  const what = upgraded ? "agreed to a protocol that was not on offer" : "switched to another protocol than SPDY/3.1";
  // Nothing runs before there are streams.
  throw handshake.failure({ code: "UNIMPLEMENTED", message: `the streaming server ${what}` });
}

function ignore(): void {}
