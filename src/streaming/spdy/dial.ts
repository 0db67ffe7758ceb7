import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type Socket } from "node:net";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import { CriError, InvalidInputError } from "../../errors.js";
import { linkAbort, onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import type { TlsOptions } from "../../options.js";
import type { DialOptions } from "../transport.js";
import { SpdyConnection } from "./connection.js";
import { readToTheEnd } from "./read-to-the-end.js";
import { listOf, readRefusal } from "./refusal.js";
import { withResolvers } from "./with-resolvers.js";

/** How long a handshake may take unless told otherwise. */
export const defaultHandshakeTimeoutMs = 10_000;

/** {@link DialOptions} and what to agree on. */
export interface SpdyDialOptions extends DialOptions {
  /** The protocols to offer, best first. */
  protocols: readonly string[];
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
  const timeoutMs = options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
  const link = linkAbort(options.signal);
  const stopTimer = startTimer(timeoutMs, () => link.abort(tooLate(url.host, timeoutMs)));
  try {
    if (link.signal.aborted) throw link.signal.reason;
    const dialled = await upgrade(url, options, link.signal);
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

function upgrade(url: URL, options: SpdyDialOptions, signal: AbortSignal): Promise<DialledSpdy> {
  const { promise, resolve, reject } = withResolvers<DialledSpdy>();
  const request = createRequest(url, options);
  const stopListening = onAbort(signal, () => {
    reject(signal.reason);
    request.destroy();
  });
  request.on("upgrade", (response: IncomingMessage, socket: Socket, head: Buffer) => {
    try {
      const protocol = agreedProtocol(response, options.protocols, url.host);
      socket.setNoDelay(true);
      readToTheEnd(socket);
      // At once: nobody else listens to the socket any more.
      const connection = new SpdyConnection(socket, { head });
      const stopGuarding = onAbort(signal, () => connection.destroy(signal.reason));
      void connection.closed.then(stopGuarding);
      resolve({ connection, protocol });
    } catch (error) {
      socket.destroy();
      reject(error);
    }
  });
  request.on("response", (response: IncomingMessage) => {
    void readRefusal(response, url.host).then((error) => {
      reject(error);
      request.destroy();
    });
  });
  request.on("error", (cause: NodeJS.ErrnoException) => reject(unreachable(url.host, cause)));
  request.on("close", () => reject(unreachable(url.host, undefined)));
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
  if (url.protocol === "https:") {
    try {
      return requestHttps(url, { ...common, ...tlsOptions(options.tls) });
    } catch (cause) {
      // OpenSSL names what it could not read, never its content.
      throw new InvalidInputError({ field: "tls", message: "holds a certificate or key that cannot be used", cause });
    }
  }
  if (url.protocol === "http:") return requestHttp(url, common);
  throw new InvalidInputError({ field: "url", message: "must be an http: or https: URL" });
}

/** Certificates are verified whatever the process was told by `NODE_TLS_REJECT_UNAUTHORIZED`. */
function tlsOptions(tls: TlsOptions = {}): ConnectionOptions {
  const { ca, cert, key, serverName } = tls;
  const options: ConnectionOptions = { rejectUnauthorized: true, minVersion: "TLSv1.2" };
  if (ca !== undefined) options.ca = pem(ca);
  if (cert !== undefined) options.cert = pem(cert);
  if (key !== undefined) options.key = pem(key);
  if (serverName === undefined) return options;
  options.checkServerIdentity = (_host, certificate) => checkServerIdentity(serverName, certificate);
  // An address is no server name in the eyes of TLS.
  options.servername = isIP(serverName) === 0 ? serverName : "";
  return options;
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value);
}

function agreedProtocol(response: IncomingMessage, offered: readonly string[], endpoint: string): string {
  const upgraded = listOf(response.headersDistinct.upgrade).some((name) => name.toLowerCase() === "spdy/3.1");
  const protocols = listOf(response.headersDistinct["x-stream-protocol-version"]);
  const protocol = offered.find((name) => protocols.includes(name));
  if (upgraded && protocol !== undefined) return protocol;
  const what = upgraded ? "agreed to a protocol that was not on offer" : "switched to another protocol than SPDY/3.1";
  throw new CriError({ code: "UNIMPLEMENTED", message: `the streaming server ${what}`, endpoint });
}

function unreachable(endpoint: string, cause: NodeJS.ErrnoException | undefined): CriError {
  const hint = /ALTNAME/.test(cause?.code ?? "")
    ? "; tls.serverName can name the one to expect"
    : /CERT|ISSUER|SIGNED|SIGNATURE/.test(cause?.code ?? "")
      ? "; set tls.ca to the authority that issued its certificate"
      : "";
  return new CriError({
    code: "UNAVAILABLE",
    message: `cannot start a session with the streaming server: ${cause ? reasonOf(cause) : "it hung up"}${hint}`,
    endpoint,
    attempts: 1,
    // Past connecting, the token may have been spent on a command that runs.
    mayHaveTakenEffect: cause?.syscall !== "connect" && cause?.syscall !== "getaddrinfo",
    cause,
  });
}

/** The first line of an error's message, also of the one that stands for several failed addresses and has none. */
function reasonOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  const text = error.message || (first instanceof Error ? first.message : "") || error.name;
  return (text.split("\n", 1)[0] ?? "").slice(0, 256);
}

function tooLate(endpoint: string, timeoutMs: number): CriError {
  const message = `the streaming server did not complete the handshake within ${timeoutMs} ms`;
  return new CriError({ code: "DEADLINE_EXCEEDED", message, endpoint, attempts: 1, mayHaveTakenEffect: true });
}
