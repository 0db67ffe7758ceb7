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
    const first = await this.#next(length);
    if (first.length === length || first.length === 0) return first;
    const parts = [first];
    for (let missing = length - first.length; missing > 0; ) {
      const part = await this.#next(missing);
      if (part.length === 0) break;
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Reads what arrives next, at most `length` bytes. @throws CriError `INVALID_RESPONSE` if the stream ends */
  async part(length: number): Promise<Buffer> {
    const part = await this.#next(length);
    if (part.length === 0) throw truncated();
    return part;
  }

  /** Skips the next `length` bytes. @throws CriError `INVALID_RESPONSE` if the stream ends first */
  async skip(length: number): Promise<void> {
    for (let missing = length; missing > 0; ) missing -= (await this.part(missing)).length;
  }

  /** Returns the bytes that have arrived, at most `length` of them, or waits for some. Returns none at the end of the stream. */
  async #next(length: number): Promise<Buffer> {
    while (this.#chunk.length === 0 && length > 0) {
      const next = await this.#chunks.next();
      if (next.done) break;
      this.#chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    const part = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(part.length);
    return part;
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
