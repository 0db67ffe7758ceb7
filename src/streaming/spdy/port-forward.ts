import type { Duplex } from "node:stream";
import { CriError, InvalidInputError } from "../../errors.js";
import { linkAbort, onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import type { DialOptions, PortForwardConnection, StreamTransport } from "../transport.js";
import type { SpdyConnection } from "./connection.js";
import { defaultHandshakeTimeoutMs, dialSpdy } from "./dial.js";
import type { SpdyStream } from "./stream.js";

const protocols = ["portforward.k8s.io"];

/** Most text that is taken for the reason of a failure. */
const maxErrorLength = 4_096;

/** How long the rest of a reason may take to follow its beginning. */
const errorGraceMs = 500;

/**
 * Starts a port-forward session over SPDY/3.1, which carries any number of connections to any of the pod's ports.
 *
 * @param url of the PortForward RPC; good for one try
 */
export async function openSpdyPortForward(url: URL, options: DialOptions = {}): Promise<PortForwardConnection> {
  const { connection } = await dialSpdy(url, { ...options, protocols });
  return new SpdyPortForward(connection, options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs);
}

class SpdyPortForward implements PortForwardConnection {
  readonly transport: StreamTransport = "spdy";
  readonly closed: Promise<void>;
  readonly #connection: SpdyConnection;
  readonly #timeoutMs: number;
  #nextRequestId = 0;

  constructor(connection: SpdyConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.closed = connection.closed;
  }

  async open(port: number, options: { signal?: AbortSignal | undefined } = {}): Promise<Duplex> {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new InvalidInputError({ field: "port", message: "must be a port from 1 to 65535", value: port });
    }
    options.signal?.throwIfAborted();
    const pair = { port: String(port), requestID: String(this.#nextRequestId++) };
    const errors = this.#connection.open({ streamType: "error", ...pair }, { writable: false });
    const data = this.#connection.open({ streamType: "data", ...pair });
    // Listened to from the start: a fast server may report its failure in one go with the replies.
    passOnErrors(errors, data, port);
    const link = linkAbort(options.signal);
    const stopTimer = startTimer(this.#timeoutMs, () => link.abort(tooLate(port, this.#timeoutMs)));
    const stopListening = onAbort(link.signal, () => {
      errors.destroy();
      data.destroy();
    });
    try {
      if (link.signal.aborted) throw link.signal.reason;
      await Promise.all([errors.accepted, data.accepted]);
    } catch (error) {
      errors.destroy();
      data.destroy();
      throw link.signal.aborted ? link.signal.reason : (this.#connection.failure ?? error);
    } finally {
      stopListening();
      stopTimer();
      link.unlink();
    }
    errors.closeWriting();
    return data;
  }

  destroy(reason?: unknown): void {
    this.#connection.destroy(
      reason ?? new CriError({ code: "CANCELLED", message: "the port-forward session was destroyed" }),
    );
  }
}

/** Whatever comes on the error stream is the reason why there is no connection to the port, or none any more. */
function passOnErrors(errors: SpdyStream, data: SpdyStream, port: number): void {
  const decoder = new TextDecoder();
  let text = "";
  let stopTimer: (() => void) | undefined;
  const failure = () => {
    if (text === "") return undefined;
    const message = `no connection to port ${port} of the pod: ${text.trim().slice(0, maxErrorLength)}`;
    return new CriError({ code: "UNAVAILABLE", message });
  };
  const fail = () => {
    const error = failure();
    if (error) data.destroy(error);
  };
  errors.on("data", (bytes: Buffer) => {
    if (text.length < maxErrorLength) text += decoder.decode(bytes, { stream: true });
    // The text can be cut in two anywhere, and the ends of both streams follow it in any order.
    stopTimer ??= startTimer(errorGraceMs, fail);
  });
  errors.on("end", fail);
  data.checkEnd(failure);
  data.on("close", () => {
    stopTimer?.();
    errors.destroy();
  });
}

function tooLate(port: number, timeoutMs: number): CriError {
  const message = `the streaming server did not accept a connection to port ${port} within ${timeoutMs} ms`;
  return new CriError({ code: "DEADLINE_EXCEEDED", message });
}
