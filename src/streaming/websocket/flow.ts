import { Readable } from "node:stream";
import type { WebSocket } from "ws";
import { encodeFrame, maxChunkBytes } from "./frames.js";

/** High-water mark of a channel's reader, above which the socket is paused. */
const readBufferBytes = 128 * 1024;

/**
 * How many bytes may wait in the socket before a writer has to wait. With half as many, input took 1.2 times as long, because the
 * socket ran empty (`npm run bench -- streaming`).
 */
const writeBufferBytes = 512 * 1024;

/**
 * Pauses a socket while the buffer of any reader is full. All channels share one connection, so a reader that stops reading also
 * blocks the other channels and the end of the session.
 */
export class FlowControl {
  readonly #socket: WebSocket;
  readonly #full = new Set<object>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get isPaused(): boolean {
    return this.#full.size > 0;
  }

  pauseFor(reader: object): void {
    this.#full.add(reader);
    this.#socket.pause();
  }

  resumeFor(reader: object): void {
    if (this.#full.delete(reader) && this.#full.size === 0) this.#socket.resume();
  }
}

/** Reads one channel of a socket. After it is destroyed, its data is dropped and does not block other channels. */
export class ChannelReadable extends Readable {
  readonly #flow: FlowControl;

  constructor(flow: FlowControl) {
    super({ highWaterMark: readBufferBytes });
    this.#flow = flow;
    // Errors need no listener: the session reports them, too.
    this.on("error", () => {});
  }

  /** Adds received data. */
  receive(payload: Buffer): void {
    if (!this.destroyed && !this.push(payload)) this.#flow.pauseFor(this);
  }

  override _read(): void {
    this.#flow.resumeFor(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#flow.resumeFor(this);
    callback(error);
  }
}

/**
 * Sends bytes on a channel, in messages of at most {@link maxChunkBytes}. Calls back when the writer may continue: at once while
 * the socket keeps up, otherwise when the socket has sent its buffer.
 */
export function sendWithBackpressure(
  socket: WebSocket,
  channel: number,
  bytes: Uint8Array,
  callback: (error?: Error | null) => void,
): void {
  let sent = 0;
  const proceed = (error?: Error | null) => {
    if (error) return callback(error);
    while (sent < bytes.length) {
      const frame = encodeFrame(channel, bytes.subarray(sent, sent + maxChunkBytes));
      sent += frame.length - 1;
      if (socket.bufferedAmount + frame.length > writeBufferBytes) return socket.send(frame, proceed);
      // A failed send closes the socket, and the close event handles it.
      socket.send(frame, ignore);
    }
    callback();
  };
  proceed();
}

function ignore(): void {}

/** A signal's reason can be any value, but streams can only be destroyed with an Error. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}
