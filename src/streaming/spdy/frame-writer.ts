import type { Duplex } from "node:stream";
import { encodeDataHead } from "./frames.js";
import type { StreamCallback } from "./stream.js";

/** Longest payload of a data frame that is sent: servers buffer a whole frame before they pass it on. */
const maxDataLength = 65_536;
/** How many bytes one stream hands to the socket before other streams get their turn. */
const maxTurnBytes = 4 * maxDataLength;

/**
 * Writes frames to the socket of a SPDY/3.1 connection. There is no flow control per stream: bytes count as written when the socket
 * has passed them on. Long writes of several streams take turns.
 */
export class FrameWriter {
  readonly #socket: Duplex;
  readonly #lost: () => Error;
  #stopped = false;
  /** How many bytes of data were handed to the socket. */
  sentBytes = 0;

  /** @param lost makes the error of a write to a connection that has ended */
  constructor(socket: Duplex, lost: () => Error) {
    this.#socket = socket;
    this.#lost = lost;
  }

  /** Fails every later write: the connection has ended. */
  stop(): void {
    this.#stopped = true;
  }

  write(frame: Buffer, callback?: StreamCallback): void {
    // A socket can stay readable after it stops being writable.
    if (this.#stopped || !this.#socket.writable) {
      callback?.(this.#lost());
    } else this.#socket.write(frame, callback);
  }

  writeData(streamId: number, chunks: readonly Buffer[], callback: StreamCallback): void {
    for (const { length } of chunks) this.sentBytes += length;
    this.#writeTurn(streamId, chunks, 0, 0, callback);
  }

  #writeTurn(
    streamId: number,
    chunks: readonly Buffer[],
    startIndex: number,
    startOffset: number,
    callback: StreamCallback,
  ): void {
    let [index, offset, turn] = [startIndex, startOffset, 0];
    const socket = this.#socket;
    const parts: Buffer[] = [];
    while (turn < maxTurnBytes && index < chunks.length) {
      // As many chunks as fit share a frame.
      const payload: Buffer[] = [];
      let length = 0;
      while (length < maxDataLength && index < chunks.length) {
        const chunk = chunks[index] as Buffer;
        const part = chunk.subarray(offset, offset + maxDataLength - length);
        length += part.length;
        offset += part.length;
        if (part.length > 0) payload.push(part);
        if (offset < chunk.length) break;
        index++;
        offset = 0;
      }
      if (length > 0) parts.push(encodeDataHead(streamId, length, false), ...payload);
      turn += length;
    }
    const last = parts.pop();
    if (!last) {
      callback();
      return;
    }
    socket.cork();
    for (const part of parts) this.write(part);
    this.write(last, (error) => {
      if (error || index === chunks.length) callback(error);
      else this.#writeTurn(streamId, chunks, index, offset, callback);
    });
    socket.uncork();
  }
}
