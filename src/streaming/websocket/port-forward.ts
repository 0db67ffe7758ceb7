import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { CriError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { reasonOf } from "../quote.js";
import type { DialOptions, ForwardedConnection, Lossy, SessionOrigin, Traffic } from "../transport.js";
import { dialWebSocket } from "./dial.js";
import { asError, FlowControl, sendWithBackpressure } from "./flow.js";
import { decodeFrame, v4 } from "./frames.js";
import { sendPings } from "./pings.js";

/** Channels of the session's only port: data of the connection, and an error message. */
const dataChannel = 0;
const errorChannel = 1;

/** Limit on the server's message about a failure, in bytes. */
const maxErrorLength = 1_000;

/** How long a connection stays open after `end()` while no data arrives from the pod. */
const lingerMs = 5_000;

/**
 * Connects to a port of a pod over WebSocket. The PortForward request must have named this port only: servers connect to every
 * named port at once.
 *
 * The protocol cannot end one direction. After `end()`, data from the pod is still read until none has arrived for five seconds;
 * then the connection is closed.
 */
export async function openWebSocketPortForward(
  url: URL,
  port: number,
  options: DialOptions = {},
): Promise<ForwardedConnection> {
  return new ForwardedPort(await dialWebSocket(url, [v4], options), port, options);
}

class ForwardedPort extends Duplex implements Traffic, Lossy {
  readonly #socket: WebSocket;
  readonly #port: number;
  readonly #origin: SessionOrigin | undefined;
  readonly #flow: FlowControl;
  readonly #prefixes = new Map([dataChannel, errorChannel].map((channel) => [channel, [] as number[]]));
  readonly #stopListening: (() => void) | undefined;
  #linger: NodeJS.Timeout | undefined;
  #remoteEnded = false;
  sentBytes = 0;
  receivedBytes = 0;
  loss: CriError | undefined;

  constructor(socket: WebSocket, port: number, { signal, pingIntervalMs, origin }: DialOptions) {
    super({ allowHalfOpen: false, readableHighWaterMark: 128 * 1024, writableHighWaterMark: 64 * 1024 });
    this.#socket = socket;
    this.#origin = origin;
    this.#port = port;
    this.#flow = new FlowControl(socket);
    // An error without a listener must not end the process.
    this.on("error", () => {});
    socket.on("message", (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    socket.on("error", (error) => this.#break(broken(reasonOf(error), error)));
    socket.on("close", (code) => {
      if (code === 1000) this.#endRemote();
      else this.#break(broken(code === 1006 ? "the connection was cut" : `close code ${code}`));
    });
    sendPings(socket, {
      pingIntervalMs,
      hasCommand: false,
      sentBytes: () => this.sentBytes,
      isReadPaused: () => this.#flow.isPaused,
      onTimeout: (error) => this.#break(error),
    });
    this.#stopListening = signal && onAbort(signal, () => this.destroy(asError(signal.reason)));
    if (signal?.aborted) this.destroy(asError(signal.reason));
    else if (socket.readyState === socket.OPEN) socket.resume();
    else this.#break(broken("the connection was cut"));
  }

  override _read(): void {
    this.#flow.resumeFor(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.sentBytes += chunk.length;
    // The pod has closed its side, but its last data may still be unread. An error would discard that data.
    if (this.#remoteEnded) callback();
    else sendWithBackpressure(this.#socket, dataChannel, chunk, callback);
  }

  override _final(callback: () => void): void {
    if (!this.#remoteEnded) {
      this.#linger = setTimeout(() => {
        if (this.#flow.isPaused || this.#socket.bufferedAmount > 0) return this.#linger?.refresh();
        this.#endRemote();
        this.#socket.close(1000);
      }, lingerMs);
    }
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#linger);
    this.#stopListening?.();
    this.#remoteEnded = true;
    if (error) this.#socket.terminate();
    else this.#socket.close(1000);
    // A paused socket would not read the server's close frame.
    this.#socket.resume();
    callback(error);
  }

  #onMessage(message: Buffer, isBinary: boolean): void {
    if (this.#remoteEnded) return;
    if (!isBinary) return void this.#break(broken("the server sent a text message instead of a binary one"));
    const frame = decodeFrame(message);
    const payload = frame && this.#withoutPrefix(frame.channel, frame.payload);
    if (!frame || !payload || payload.length === 0) return;
    if (frame.channel === errorChannel) return void this.#break(failed(payload));
    this.#linger?.refresh();
    this.receivedBytes += payload.length;
    if (!this.push(payload)) this.#flow.pauseFor(this);
  }

  /**
   * Checks and strips the port at the beginning of each channel: two bytes, in one message or two. Returns undefined for an unknown
   * channel.
   */
  #withoutPrefix(channel: number, payload: Buffer): Buffer | undefined {
    const prefix = this.#prefixes.get(channel);
    if (!prefix) return undefined;
    const missing = 2 - prefix.length;
    if (missing === 0) return payload;
    prefix.push(...payload.subarray(0, missing));
    const [low, high] = prefix;
    if (low !== undefined && high !== undefined && low + high * 256 !== this.#port) {
      this.#break(broken(`the server forwards port ${low + high * 256} instead of ${this.#port}`));
    }
    return payload.subarray(missing);
  }

  #break(error: CriError): void {
    if (this.destroyed) return;
    this.loss = error.during(this.#origin);
    this.destroy(this.loss);
  }

  #endRemote(): void {
    if (this.#remoteEnded) return;
    this.#remoteEnded = true;
    clearTimeout(this.#linger);
    this.push(null);
  }
}

function broken(reason: string, cause?: Error): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message: `the forwarded connection broke: ${reason}`,
    attempts: 1,
    cause,
  });
}

function failed(text: Buffer): CriError {
  const message = text.toString("utf8", 0, maxErrorLength).trim();
  return new CriError({ code: "UNAVAILABLE", message, attempts: 1 });
}
