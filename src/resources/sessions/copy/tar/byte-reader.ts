import { invalidArchive } from "../archive-errors.js";

/** Reads a stream in portions of any size. Holds at most one chunk of the stream and the portion that is being read. */
export class ByteReader implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Reads the next `length` bytes, or fewer at the end of the stream. */
  async read(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.#upTo(length)) parts.push(part);
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  /** Reads the next `length` bytes as they arrive. @throws CriError `INVALID_RESPONSE` if the stream ends first */
  async *take(length: number): AsyncGenerator<Buffer, void, undefined> {
    let taken = 0;
    for await (const part of this.#upTo(length)) {
      taken += part.length;
      yield part;
    }
    if (taken < length) throw truncated();
  }

  /** Skips the next `length` bytes. @throws CriError `INVALID_RESPONSE` if the stream ends first */
  async skip(length: number): Promise<void> {
    for await (const _ of this.take(length));
  }

  async *#upTo(length: number): AsyncGenerator<Buffer, void, undefined> {
    for (let missing = length; missing > 0; ) {
      if (this.#chunk.length === 0) {
        const next = await this.#chunks.next();
        if (next.done) return;
        this.#chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      }
      const part = this.#chunk.subarray(0, missing);
      this.#chunk = this.#chunk.subarray(part.length);
      missing -= part.length;
      yield part;
    }
  }

  /** Ends the stream, unless it has already ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** Creates the error for an archive that ends early. */
export function truncated() {
  return invalidArchive("is truncated");
}
