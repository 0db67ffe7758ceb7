import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import type { ClientOptions, WebSocket } from "ws";
import { onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import type { TlsOptions } from "../../options.js";
import type { DialOptions } from "../transport.js";
import { maxMessageBytes } from "./frames.js";
import { firstLine, handshakeFailed, handshakeRefused, handshakeTimedOut } from "./handshake.js";
import { readToTheEnd } from "./last-words.js";

/** How long a handshake may take when {@link DialOptions.handshakeTimeoutMs} is not set. */
const defaultHandshakeTimeoutMs = 30_000;

/** How long a server may take to answer a close frame before the connection is cut. */
const closeTimeoutMs = 1_000;

/**
 * Opens a WebSocket. It comes paused, so that nothing is missed: listen, then `resume()`. Its errors need no listener; whoever gets
 * the socket has to look whether it is still open.
 */
export async function dialWebSocket(
  url: URL,
  protocols: readonly string[],
  { tls, signal, handshakeTimeoutMs = defaultHandshakeTimeoutMs }: DialOptions,
): Promise<WebSocket> {
  signal?.throwIfAborted();
  // Not before a session needs it: most clients never open one.
  const { WebSocket } = await import("ws");
  signal?.throwIfAborted();
  return new Promise<WebSocket>((resolve, reject) => {
    const socket = new WebSocket(url, [...protocols], {
      ...clientOptions,
      ...(url.protocol === "https:" && tlsOptions(tls, url)),
    });
    const settle = () => {
      stopTimer();
      stopListening?.();
    };
    const fail = (error: unknown) => {
      settle();
      reject(error);
      socket.terminate();
    };
    const stopTimer = startTimer(handshakeTimeoutMs, () => fail(handshakeTimedOut(handshakeTimeoutMs)));
    const stopListening = signal && onAbort(signal, () => fail(signal.reason));
    socket.on("error", (error) => fail(handshakeFailed(error)));
    socket.once("unexpected-response", (_request, response: IncomingMessage) => {
      firstLine(response, (line) => fail(handshakeRefused(response.statusCode ?? 0, line, protocols)));
    });
    socket.once("upgrade", (response) => readToTheEnd(response.socket));
    socket.once("open", () => {
      settle();
      socket.removeAllListeners("error").on("error", () => {});
      socket.pause();
      resolve(socket);
    });
  });
}

/** What the types of ws lack: `closeTimeout` came with ws 8.19, and the options of `tls.connect` are passed on. */
type DialledOptions = ClientOptions & { closeTimeout?: number; servername?: string };

const clientOptions: DialledOptions = {
  perMessageDeflate: false,
  // The URL was checked; one that a server answers with was not.
  followRedirects: false,
  maxPayload: maxMessageBytes,
  closeTimeout: closeTimeoutMs,
};

/** Always verified, whatever NODE_TLS_REJECT_UNAUTHORIZED says. */
function tlsOptions(tls: TlsOptions = {}, url: URL): DialledOptions {
  const { ca, cert, key, serverName = url.hostname.replace(/^\[(.*)\]$/, "$1") } = tls;
  const pem = (value: string | Uint8Array) => (typeof value === "string" ? value : Buffer.from(value));
  const options: DialledOptions = {
    rejectUnauthorized: true,
    // An address has no place in the handshake, and is verified all the same.
    servername: isIP(serverName) ? "" : serverName,
    checkServerIdentity: ((_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(serverName, certificate)) as never,
  };
  if (ca !== undefined) options.ca = pem(ca);
  if (cert !== undefined) options.cert = pem(cert);
  if (key !== undefined) options.key = pem(key);
  return options;
}
