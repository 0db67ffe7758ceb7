import type { IncomingMessage } from "node:http";
import type { ClientOptions, WebSocket } from "ws";
import { onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import { Handshake } from "../handshake.js";
import { readToTheEnd } from "../read-to-the-end.js";
import { tlsOptionsFor } from "../tls.js";
import type { DialOptions } from "../transport.js";
import { maxMessageBytes } from "./frames.js";

/** How long a server may take to answer a close frame before the connection is cut. */
const closeTimeoutMs = 1_000;

/**
 * Opens a WebSocket. It comes paused, so that nothing is missed: listen, then `resume()`. Its errors need no listener; whoever gets
 * the socket has to look whether it is still open.
 *
 * @throws CriError, or the signal's reason; UNIMPLEMENTED if the server refuses the protocol, NOT_FOUND if it does not know the
 *   token. None of them names the URL.
 */
export async function dialWebSocket(
  url: URL,
  protocols: readonly string[],
  { tls, signal, handshakeTimeoutMs }: DialOptions,
): Promise<WebSocket> {
  signal?.throwIfAborted();
  // Not before a session needs it: most clients never open one.
  const { WebSocket } = await import("ws");
  signal?.throwIfAborted();
  const handshake = new Handshake(url, "WebSocket", handshakeTimeoutMs);
  const options: ClientOptions = {
    ...clientOptions,
    // The same options as those of `tls.connect`, to which ws passes them on; its types differ in details.
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
    // An answer that ws does not take for a handshake too: UNAVAILABLE, for behind a 101 the command may run already.
    const onLoss = (cause: Error) => fail(handshake.unreachable(cause));
    socket.on("error", onLoss);
    socket.once("unexpected-response", (_request, response: IncomingMessage) => {
      // What was answered counts from here on, even if its rest is lost.
      socket.off("error", onLoss).on("error", ignore);
      void handshake.refused(response).then(fail);
    });
    socket.once("upgrade", (response) => readToTheEnd(response.socket));
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
  // The URL was checked; one that a server answers with was not.
  followRedirects: false,
  maxPayload: maxMessageBytes,
  // One message in each turn of the event loop, so that a flood of messages does not keep it from other work.
  allowSynchronousEvents: false,
  // No server of CRI splits its messages, and no network splits one into as many pieces.
  maxFragments: 1_024,
  maxBufferedChunks: 16_384,
  // Like the two before, known to ws and not to its types.
  closeTimeout: closeTimeoutMs,
};

function ignore(): void {}
