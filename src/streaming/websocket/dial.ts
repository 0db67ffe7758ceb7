import type { IncomingMessage } from "node:http";
import type { ClientOptions, WebSocket } from "ws";
import { onAbort } from "../../internal/abort.js";
import { isLoopback } from "../../internal/loopback.js";
import { startTimer } from "../../internal/timer.js";
import { drainOnWriteError } from "../drain-on-write-error.js";
import { Handshake } from "../handshake.js";
import { tlsOptionsFor } from "../tls.js";
import type { DialOptions } from "../transport.js";
import { withoutBrackets } from "../url.js";
import { maxMessageBytes } from "./frames.js";

/** How long a server may take to answer a close frame before the client destroys the connection. */
const closeTimeoutMs = 1_000;

/**
 * Opens a WebSocket. The result is paused, so that no message is lost: add listeners, then call `resume()`. Its errors need no
 * listener. It may already be closed: check `readyState`.
 *
 * @throws CriError, or the signal's reason; UNIMPLEMENTED if the server refuses the protocol, NOT_FOUND if it does not accept the
 *   token. No error contains the URL.
 */
export async function dialWebSocket(
  url: URL,
  protocols: readonly string[],
  { tls, signal, handshakeTimeoutMs }: DialOptions,
): Promise<WebSocket> {
  signal?.throwIfAborted();
  // Loaded when first used: most programs never open a session.
  const { WebSocket } = await import("ws");
  signal?.throwIfAborted();
  const handshake = new Handshake(url, "WebSocket", handshakeTimeoutMs);
  const options: ClientOptions = {
    ...clientOptions,
    ...(isLoopback(withoutBrackets(url.hostname)) && { generateMask: maskNothing }),
    // ws passes these options on to `tls.connect`; its types differ in details.
    ...(url.protocol === "https:" && (tlsOptionsFor(url, tls) as object)),
    finishRequest: (request) => {
      handshake.watch(request);
      request.end();
    },
  };
  return new Promise<WebSocket>((resolve, reject) => {
    const socket = new WebSocket(url, [...protocols], options);
    const settle = () => {
      stopTimer();
      stopListening?.();
    };
    const fail = (error: unknown) => {
      settle();
      reject(error);
      socket.terminate();
    };
    const stopTimer = startTimer(handshake.timeoutMs, () => fail(handshake.timedOut()));
    const stopListening = signal && onAbort(signal, () => fail(signal.reason));
    // Also called for a 101 response that ws rejects. The code is then UNAVAILABLE, because the command may already be running.
    const onLoss = (cause: Error) => fail(handshake.unreachable(cause));
    socket.on("error", onLoss);
    socket.once("unexpected-response", (_request, response: IncomingMessage) => {
      // The response decides the error, even if the connection breaks before its end.
      socket.off("error", onLoss).on("error", ignore);
      void handshake.refused(response).then(fail);
    });
    socket.once("upgrade", (response) => drainOnWriteError(response.socket));
    socket.once("open", () => {
      settle();
      socket.off("error", onLoss).on("error", ignore);
      socket.pause();
      resolve(socket);
    });
  });
}

const clientOptions = {
  perMessageDeflate: false,
  // Only the URL was checked, not the target of a redirect.
  followRedirects: false,
  maxPayload: maxMessageBytes,
  // One message per turn of the event loop, so that a flood of messages does not block it.
  allowSynchronousEvents: false,
  // CRI servers do not fragment messages, and no network splits one into this many chunks.
  maxFragments: 1_024,
  maxBufferedChunks: 16_384,
  // ws supports this option and the two before it, but its types omit them.
  closeTimeout: closeTimeoutMs,
};

/**
 * Sets the masking key of a frame to 0, so that ws neither copies nor changes the payload. Every byte of a client is masked because
 * scripts in a browser could otherwise send bytes that a proxy takes for a request (RFC 6455, section 10.3). On a loopback address,
 * there is no proxy: the connection ends at the runtime of this machine.
 */
function maskNothing(key: Buffer): void {
  key.fill(0);
}

function ignore(): void {}
