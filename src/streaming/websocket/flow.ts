import { Readable } from "node:stream";
import type { WebSocket } from "ws";
import { encodeFrame, maxChunkBytes } from "./frames.js";

/** What a reader may lag behind before the socket is paused. */
const readAheadBytes = 128 * 1024;

/** What may wait in the socket before a writer has to. */
const writeAheadBytes = 256 * 1024;

/**
 * Pauses a socket while any of its readers is full. All channels share one connection: a reader that stops reading holds up the
 * others too, and the end of the session with them.
 */
export class Gate {
  readonly #socket: WebSocket;
  readonly #full = new Set<object>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get closed(): boolean {
    return this.#full.size > 0;
  }

  close(reader: object): void {
    this.#full.add(reader);
    this.#socket.pause();
  }

  open(reader: object): void {
    if (this.#full.delete(reader) && this.#full.size === 0) this.#socket.resume();
  }
}

/** One channel of a socket as something to read. Data for a reader that was destroyed is dropped, so that it holds up nobody. */
export class ChannelReadable extends Readable {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    super({ highWaterMark: readAheadBytes });
    this.#gate = gate;
    // Nobody has to listen: an error is told by the session as well.
    this.on("error", () => {});
  }

  /** Takes what arrived. */
  accept(payload: Buffer): void {
    if (!this.destroyed && !this.push(payload)) this.#gate.close(this);
  }

  override _read(): void {
    this.#gate.open(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#gate.open(this);
    callback(error);
  }
}

/**
 * Sends bytes on a channel, in messages of at most {@link maxChunkBytes}. Calls back when more may follow: soon while the socket
 * keeps up, else when it has caught up.
 */
export function sendPaced(
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
      if (socket.bufferedAmount + frame.length > writeAheadBytes) return socket.send(frame, proceed);
      // A failure here closes the socket, which is where it is dealt with.
      socket.send(frame, ignore);
    }
    callback();
  };
  proceed();
}

function ignore(): void {}

/** An abort reason as what streams can be destroyed with. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}
