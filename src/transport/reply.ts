import { setImmediate as nextTurn } from "node:timers/promises";
import { ClientError, Status } from "nice-grpc-common";
import { type ReplyDecoder, replyDecoders } from "../decoders.js";
import type { ReplyLimits } from "./reply-limits.js";
import { ReplyReader } from "./reply-reader.js";

/** Replies up to this size are decoded at once, in well below a millisecond. Larger ones are decoded in slices. */
const unslicedBytes = 128 * 1024;

/** The bytes that are decoded before the clock is read again. */
const sliceBytes = 32 * 1024;

/** How long decoding blocks the event loop at a time. */
const sliceMs = 2;

/** A generated message object, which is the key of its decoder. */
export interface ReplyType<T> {
  decode(input: Uint8Array): T;
}

/**
 * Holds one reply between the decoder, which grpc-js calls with the bytes, and the wire layer, which returns the message.
 *
 * @throws RangeError, in the constructor and from {@link read}, if the bytes are malformed or have more fields than allowed
 */
export class Reply<T> {
  /** The size of the reply in bytes. */
  readonly bytes: number;
  readonly limits: ReplyLimits;
  /** The message, as far as it has been decoded. */
  readonly message: T;
  readonly #reader: ReplyReader;
  readonly #decoder: ReplyDecoder<T>;
  #isComplete = false;

  constructor(type: ReplyType<T>, bytes: Uint8Array, limits: ReplyLimits) {
    const decoder = replyDecoders.get(type);
    if (!decoder) throw new TypeError("there is no decoder for this reply; run npm run generate");
    this.bytes = bytes.length;
    this.limits = limits;
    this.#decoder = decoder;
    this.message = decoder.create();
    this.#reader = new ReplyReader(bytes, limits.fields);
    if (bytes.length <= unslicedBytes) this.#decode(bytes.length);
  }

  /** The number of fields that have been decoded. */
  get fields(): number {
    return this.#reader.fields;
  }

  /** Decodes the whole reply without a pause. */
  decodeAll(): T {
    if (!this.#isComplete) this.#decode(this.bytes);
    return this.message;
  }

  /**
   * Returns the message. Decodes a large message first, and lets the event loop do other work in between.
   *
   * @param path the gRPC path of the call, for the error
   */
  read(path: string, signal: AbortSignal | undefined): T | Promise<T> {
    return this.#isComplete ? this.message : this.#decodeInSlices(path, signal);
  }

  /**
   * Decodes the rest of the message slice by slice, and yields the message after each of them. Decodes nothing while it is not read.
   * Lets the event loop do other work in between; the time that the reader takes counts, too.
   *
   * @param path the gRPC path of the call, for the error
   */
  async *slices(path: string, signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
    if (this.#isComplete) yield this.message;
    // grpc-js has just spent time on assembling the reply, so decoding begins with a pause.
    let pauseAt = 0;
    while (!this.#isComplete) {
      if (performance.now() >= pauseAt) {
        await nextTurn();
        signal?.throwIfAborted();
        pauseAt = performance.now() + sliceMs;
      }
      try {
        this.#decode(sliceBytes);
      } catch (error) {
        // grpc-js uses the same error message for errors of a decoder.
        const details = `Response message parsing error: ${(error as Error).message}`;
        throw new ClientError(path, Status.INTERNAL, details);
      }
      yield this.message;
    }
  }

  async #decodeInSlices(path: string, signal: AbortSignal | undefined): Promise<T> {
    const slices = this.slices(path, signal);
    while (!(await slices.next()).done);
    return this.message;
  }

  /** Decodes whole fields until this many more bytes have been read, or the message has ended. */
  #decode(bytes: number): void {
    const { pos, len } = this.#reader;
    const hasEnded = !this.#decoder.read(this.#reader, Math.min(len, pos + bytes), this.message);
    this.#isComplete = hasEnded || this.#reader.pos >= len;
  }
}
