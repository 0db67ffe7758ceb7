import { setImmediate as nextTurn } from "node:timers/promises";
import { ClientError, Status } from "nice-grpc-common";
import { type ReplyDecoder, replyDecoders } from "../decoders.js";
import { ChunkedMessage } from "./chunked-message.js";
import type { ReplyLimits } from "./reply-limits.js";
import type { ReplyMemory } from "./reply-memory.js";
import { ReplyReader, wholeFieldsEnd } from "./reply-reader.js";

/** Replies up to this size are decoded at once, in well below a millisecond. Larger ones are decoded in slices. */
const unslicedBytes = 128 * 1024;

/** The bytes that are decoded before the clock is read again. */
const sliceBytes = 32 * 1024;

/** How long decoding blocks the event loop at a time. */
const sliceMs = 2;

/** A part of a chunked message, in one piece. Decoding copies everything from it. */
const piece = Buffer.allocUnsafeSlow(sliceBytes);

const noBytes = new Uint8Array(0);

/** A generated message object, which is the key of its decoder. */
export interface ReplyType<T> {
  decode(input: Uint8Array): T;
}

/**
 * Holds one reply between the decoder, which grpc-js calls with the bytes, and the wire layer, which returns the message.
 *
 * Decoding throws an error if the bytes are malformed or have more fields than allowed.
 */
export class Reply<T> {
  /** The size of the reply in bytes. */
  readonly bytes: number;
  readonly limits: ReplyLimits;
  /** The message, as far as it has been decoded. */
  readonly message: T;
  #reader: ReplyReader;
  /** The part of the message that has not reached the reader. */
  #chunks: ChunkedMessage | undefined;
  readonly #decoder: ReplyDecoder<T>;
  #isComplete = false;
  #memory: ReplyMemory | undefined;

  constructor(type: ReplyType<T>, bytes: Uint8Array | ChunkedMessage, limits: ReplyLimits) {
    const decoder = replyDecoders.get(type);
    if (!decoder) throw new TypeError("there is no decoder for this reply; run npm run generate");
    this.bytes = bytes.length;
    this.limits = limits;
    this.#decoder = decoder;
    this.message = decoder.create();
    if (bytes instanceof ChunkedMessage) this.#chunks = bytes;
    this.#reader = new ReplyReader(bytes instanceof ChunkedMessage ? noBytes : bytes, limits.fields);
  }

  /** The number of fields that have been decoded. */
  get fields(): number {
    return this.#reader.fields;
  }

  /** Decodes the whole reply without a pause. */
  decodeAll(): T {
    while (!this.#isComplete) this.#decode(this.bytes);
    return this.message;
  }

  /**
   * Returns the message. Decodes a large message first, and lets the event loop do other work in between.
   *
   * @param path the gRPC path of the call, for the error
   * @param memory has entries of the list from earlier replies
   */
  read(path: string, signal: AbortSignal | undefined, memory?: ReplyMemory): T | Promise<T> {
    this.#memory = memory;
    return this.#decodeIfSmall(path) ? this.message : this.#decodeInSlices(path, signal);
  }

  /**
   * Decodes the rest of the message slice by slice, and yields the message after each of them. Decodes nothing while it is not read.
   * Lets the event loop do other work in between; the time that the reader takes counts, too.
   *
   * @param path the gRPC path of the call, for the error
   */
  async *slices(path: string, signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
    if (this.#decodeIfSmall(path)) yield this.message;
    // The rest of the reply has arrived in this turn of the event loop, so decoding begins with a pause.
    let pauseAt = 0;
    while (!this.#isComplete) {
      if (performance.now() >= pauseAt) {
        await nextTurn();
        signal?.throwIfAborted();
        pauseAt = performance.now() + sliceMs;
      }
      this.#decodeSlice(path, sliceBytes);
      yield this.message;
    }
  }

  async #decodeInSlices(path: string, signal: AbortSignal | undefined): Promise<T> {
    const slices = this.slices(path, signal);
    while (!(await slices.next()).done);
    return this.message;
  }

  /** Decodes a small reply. Returns whether the message is complete. */
  #decodeIfSmall(path: string): boolean {
    while (!this.#isComplete && this.bytes <= unslicedBytes) this.#decodeSlice(path, this.bytes);
    return this.#isComplete;
  }

  #decodeSlice(path: string, bytes: number): void {
    try {
      this.#decode(bytes);
    } catch (error) {
      // grpc-js uses the same error message for errors of a decoder.
      const details = `Response message parsing error: ${(error as Error).message}`;
      throw new ClientError(path, Status.INTERNAL, details);
    }
  }

  /** Decodes whole fields until this many more bytes have been read, or the message has ended. */
  #decode(bytes: number): void {
    if (this.#chunks) this.#reader = this.#nextPiece(this.#chunks);
    const { pos, len } = this.#reader;
    const end = Math.min(len, pos + bytes);
    const goesOn = this.#memory
      ? this.#memory.read(this.#decoder, this.#reader, end, this.message)
      : this.#decoder.read(this.#reader, end, this.message);
    this.#isComplete = !goesOn || (this.#reader.pos >= len && !this.#chunks?.left);
  }

  /** Returns a reader of the next whole fields, or of the whole rest if the next field is larger than a piece or of another kind. */
  #nextPiece(chunks: ChunkedMessage): ReplyReader {
    const bytes = piece.subarray(0, chunks.peek(piece));
    const end = wholeFieldsEnd(bytes);
    const isReused = end > 0;
    if (isReused) chunks.advance(end);
    else this.#chunks = undefined;
    const { fields } = this.#reader;
    const reader = new ReplyReader(isReused ? bytes.subarray(0, end) : chunks.rest(), this.limits.fields, { isReused });
    reader.fields = fields;
    return reader;
  }
}
