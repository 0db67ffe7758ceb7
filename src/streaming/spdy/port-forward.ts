import type { Duplex } from "node:stream";
import { CriError, InvalidInputError } from "../../errors.js";
import { linkAbort, onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import { defaultHandshakeTimeoutMs } from "../handshake.js";
import type { DialOptions, PortForwardConnection, StreamTransport } from "../transport.js";
import type { SpdyConnection } from "./connection.js";
import { dialSpdy } from "./dial.js";
import type { SpdyStream } from "./stream.js";
import { withResolvers } from "./with-resolvers.js";

const protocols = ["portforward.k8s.io"];

/** Limit on the server's message about a failure, in characters. */
const maxErrorLength = 4_096;

/** How long the rest of a message may take to arrive after its beginning. */
const errorGraceMs = 500;

/**
 * Starts a port-forward session over SPDY/3.1, which carries any number of connections to any of the pod's ports.
 *
 * @param url the result of the PortForward RPC; valid for one attempt
 * @param acceptTimeoutMs how long the server may take to accept each connection
 */
export async function openSpdyPortForward(
  url: URL,
  options: DialOptions = {},
  acceptTimeoutMs = options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs,
): Promise<PortForwardConnection> {
  const { connection } = await dialSpdy(url, { ...options, protocols });
  return new SpdyPortForward(connection, acceptTimeoutMs);
}

class SpdyPortForward implements PortForwardConnection {
  readonly transport: StreamTransport = "spdy";
  readonly closed: Promise<void>;
  readonly #connection: SpdyConnection;
  readonly #timeoutMs: number;
  /** The streams whose written bytes are not yet counted in {@link #sentBytes}. */
  readonly #open = new Set<SpdyStream>();
  #sentBytes = 0;
  receivedBytes = 0;
  /** Whether the end of the connection broke a stream that has closed since. */
  #hasBroken = false;
  #nextRequestId = 0;

  constructor(connection: SpdyConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.closed = connection.closed;
  }

  get sentBytes(): number {
    return [...this.#open].reduce((sum, { bytesWritten }) => sum + bytesWritten, this.#sentBytes);
  }

  get loss(): unknown {
    const { wasDestroyed, failure } = this.#connection;
    return wasDestroyed || !(this.#hasBroken || [...this.#open].some(({ errored }) => errored)) ? undefined : failure;
  }

  async open(port: number, options: { signal?: AbortSignal | undefined } = {}): Promise<Duplex> {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new InvalidInputError({ field: "port", message: "must be a port from 1 to 65535", value: port });
    }
    options.signal?.throwIfAborted();
    const pair = { port: String(port), requestID: String(this.#nextRequestId++) };
    const errors = this.#connection.open({ streamType: "error", ...pair }, { writable: false });
    errors.closeWriting();
    const onBytes = (bytes: Buffer) => {
      this.receivedBytes += bytes.length;
    };
    const data = this.#connection.open({ streamType: "data", ...pair }, { onBytes });
    this.#open.add(data);
    data.once("close", () => {
      this.#sentBytes += data.bytesWritten;
      this.#hasBroken ||= data.errored !== null && data.errored === this.#connection.failure;
      this.#open.delete(data);
    });
    // Registered before the streams are accepted, because a server may send its error together with the replies.
    forwardErrors(this.#connection, errors, data, port);
    endTogether(errors, data);
    const link = linkAbort(options.signal);
    const stopTimer = startTimer(this.#timeoutMs, () =>
      link.abort(this.#connection.locate(acceptTimedOut(port, this.#timeoutMs))),
    );
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
    return data;
  }

  destroy(reason?: unknown): void {
    const connection = this.#connection;
    connection.destroy(
      reason ?? connection.locate(new CriError({ code: "CANCELLED", message: "the port-forward session was closed" })),
    );
  }
}

/**
 * Destroys the data stream with the error that the server reports on the error stream. Servers end the data stream before they send
 * the error, so the end of the data stream waits for the end of the error stream.
 */
function forwardErrors(connection: SpdyConnection, errors: SpdyStream, data: SpdyStream, port: number): void {
  const decoder = new TextDecoder();
  let text = "";
  let stopTimer: (() => void) | undefined;
  const { promise: reported, resolve: report } = withResolvers<Error | undefined>();
  const settle = () => {
    stopTimer?.();
    const message = `no connection to port ${port} of the pod: ${text.trim().slice(0, maxErrorLength)}`;
    report(text === "" ? undefined : connection.locate(new CriError({ code: "UNAVAILABLE", message, attempts: 1 })));
  };
  const settleSoon = () => {
    stopTimer ??= startTimer(errorGraceMs, settle);
  };
  errors.on("data", (bytes: Buffer) => {
    if (text.length < maxErrorLength) text += decoder.decode(bytes, { stream: true });
    // The rest may arrive later, and the stream may never end.
    settleSoon();
  });
  errors.on("end", settle);
  data.beforeEnd(() => {
    if (!errors.readableEnded && !errors.destroyed) settleSoon();
    return reported;
  });
  data.on("close", () => {
    settle();
    errors.destroy();
  });
  void reported.then((error) => error && data.destroy(error));
}

/** Ends writing after the server has ended both streams. The server then reads nothing more, but does not close that direction. */
function endTogether(errors: SpdyStream, data: SpdyStream): void {
  const endIfOver = () => {
    if (errors.readableEnded && data.readableEnded && !data.writableEnded) data.end();
  };
  errors.on("end", endIfOver);
  data.on("end", endIfOver);
}

function acceptTimedOut(port: number, timeoutMs: number): CriError {
  const message = `the streaming server did not accept a connection to port ${port} within ${timeoutMs} ms`;
  return new CriError({ code: "DEADLINE_EXCEEDED", message, attempts: 1 });
}
