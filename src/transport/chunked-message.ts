/**
 * A large message in the pieces in which it arrived, to be read once from its beginning to its end. Joining them would need a
 * second buffer of the same size in one step of the event loop. Releases the pieces that have been read.
 *
 * In grpc-js, it takes the place of a Buffer with a frame of five bytes and an uncompressed message.
 */
export class ChunkedMessage {
  /** The size of the whole message in bytes. */
  readonly length: number;
  /** The number of bytes that have not been read. */
  left: number;
  readonly #chunks: (Buffer | undefined)[];
  #index = 0;
  /** The position in the first unread chunk. */
  #offset = 0;

  constructor(chunks: Buffer[]) {
    this.length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.left = this.length;
    this.#chunks = chunks;
  }

  /** Returns the first byte of the frame, which grpc-js reads: the message is not compressed. */
  readUInt8(): number {
    return 0;
  }

  /** Returns the message without its frame. */
  slice(): this {
    return this;
  }

  /** Copies the next bytes into a buffer, as many as fit. Returns their number. */
  peek(target: Buffer): number {
    let copied = 0;
    let offset = this.#offset;
    for (let index = this.#index; copied < target.length; index++) {
      const chunk = this.#chunks[index];
      if (!chunk) break;
      copied += chunk.copy(target, copied, offset);
      offset = 0;
    }
    return copied;
  }

  /** Skips the next bytes. */
  advance(bytes: number): void {
    this.left -= bytes;
    this.#offset += bytes;
    for (
      let chunk = this.#chunks[this.#index];
      chunk && this.#offset >= chunk.length;
      chunk = this.#chunks[this.#index]
    ) {
      this.#offset -= chunk.length;
      this.#chunks[this.#index++] = undefined;
    }
  }

  /** Reads all remaining bytes. */
  rest(): Buffer {
    const rest = Buffer.allocUnsafeSlow(this.left);
    this.peek(rest);
    this.advance(this.left);
    return rest;
  }
}
