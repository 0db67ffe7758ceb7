import { ChunkedMessage } from "./chunked-message.js";

/** The frame of a gRPC message: a flag for compression, and the length of the message in four bytes. */
const frameBytes = 5;

/**
 * Splits the bytes of a reply into messages, each with its frame, like the decoder of grpc-js that it takes the place of. Unlike
 * that, it does not join the pieces of large messages.
 */
export class MessageFrames {
  readonly #maxBytes: number;
  readonly #chunkedBytes: number;
  #pieces: Buffer[] = [];
  /** The number of bytes in the pieces. */
  #bytes = 0;
  /** The length of the frame and its message, as soon as the frame has arrived. */
  #frameAndMessageBytes: number | undefined;

  /**
   * @param maxBytes the maximum length of a message; -1 for none
   * @param chunkedBytes the length from which an uncompressed message is returned as a {@link ChunkedMessage}
   */
  constructor(maxBytes: number, chunkedBytes: number) {
    this.#maxBytes = maxBytes;
    this.#chunkedBytes = chunkedBytes;
  }

  /** @throws Error if a message is too long */
  write(data: Buffer): (Buffer | ChunkedMessage)[] {
    const messages: (Buffer | ChunkedMessage)[] = [];
    for (let rest = data; rest.length > 0; ) {
      const missing = (this.#frameAndMessageBytes ?? frameBytes) - this.#bytes;
      this.#pieces.push(rest.length > missing ? rest.subarray(0, missing) : rest);
      this.#bytes += Math.min(missing, rest.length);
      if (rest.length < missing) break;
      rest = rest.subarray(missing);
      this.#frameAndMessageBytes ??= frameBytes + this.#readFrame();
      if (this.#bytes < this.#frameAndMessageBytes) continue;
      messages.push(this.#takeMessage());
    }
    return messages;
  }

  /** Returns the length of the message. */
  #readFrame(): number {
    const frame = Buffer.concat(this.#pieces);
    this.#pieces = [frame];
    const length = frame.readUInt32BE(1);
    if (this.#maxBytes !== -1 && length > this.#maxBytes) {
      throw new Error(`Received message larger than max (${length} vs ${this.#maxBytes})`);
    }
    return length;
  }

  #takeMessage(): Buffer | ChunkedMessage {
    const pieces = this.#pieces;
    const isCompressed = pieces[0]?.[0] === 1;
    const isLarge = this.#bytes - frameBytes >= this.#chunkedBytes;
    this.#pieces = [];
    this.#bytes = 0;
    this.#frameAndMessageBytes = undefined;
    return isLarge && !isCompressed ? new ChunkedMessage(pieces.slice(1)) : Buffer.concat(pieces);
  }
}

/** The internals of a connection of grpc-js and its calls. */
interface Transport {
  createCall?: (...args: unknown[]) => { decoder?: { readonly maxReadMessageLength?: number; write?: unknown } };
}

/** Joining smaller messages is faster than keeping them in chunks. */
const minChunkedBytes = 16 * 1024;

/** Makes the calls of a connection return large messages as {@link ChunkedMessage}s. */
export function keepLargeMessagesInChunks(transport: Transport): void {
  const { createCall } = transport;
  if (!createCall) return;
  transport.createCall = (...args) => {
    const call = createCall.apply(transport, args);
    const maxBytes = call.decoder?.maxReadMessageLength;
    if (maxBytes !== undefined) call.decoder = new MessageFrames(maxBytes, minChunkedBytes);
    return call;
  };
}
