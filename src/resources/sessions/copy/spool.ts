import type { FileHandle } from "node:fs/promises";
import { CriError, InvalidInputError } from "../../../errors.js";
import { openUnlinked } from "../../../internal/files/unlinked-file.js";

/** Up to this size, content is kept in memory. */
const maxMemoryBytes = 1024 * 1024;
const readBytes = 256 * 1024;

/** Stores content of unknown size, in memory or in a temporary file without a name. */
export class Spool implements AsyncDisposable {
  /** The number of bytes that are stored. */
  size = 0;
  readonly #parts: Uint8Array[] = [];
  #file: FileHandle | undefined;

  /**
   * Stores a whole stream.
   *
   * @throws the error of the stream; InvalidInputError if no temporary file can be written; CriError `RESOURCE_EXHAUSTED` for more
   *   than `maxBytes`
   */
  static async fill(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Spool> {
    const spool = new Spool();
    try {
      for await (const chunk of chunks) {
        if (spool.size + chunk.length > maxBytes) throw tooLarge(maxBytes);
        await spool.#add(chunk);
      }
      return spool;
    } catch (error) {
      await spool[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #add(chunk: Uint8Array): Promise<void> {
    this.size += chunk.length;
    if (this.size <= maxMemoryBytes) {
      this.#parts.push(chunk);
      return;
    }
    try {
      if (!this.#file) {
        this.#file = await openUnlinked();
        await this.#file.writeFile(Buffer.concat(this.#parts.splice(0)));
      }
      await this.#file.writeFile(chunk);
    } catch (cause) {
      const { code = "unknown error" } = cause as NodeJS.ErrnoException;
      const message = `cannot be stored in a temporary file (${code}); pass size, which needs no such file`;
      throw new InvalidInputError({ field: "data", message, cause });
    }
  }

  /** Yields the content. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    if (!this.#file) {
      yield* this.#parts;
      return;
    }
    for (let position = 0; position < this.size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(readBytes, this.size - position));
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0)
        throw new InvalidInputError({ field: "data", message: "cannot be read back from its temporary file" });
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Frees the storage. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }
}

function tooLarge(maxBytes: number): CriError {
  return new CriError({
    code: "RESOURCE_EXHAUSTED",
    message: `the data is longer than ${maxBytes} bytes, the limit of maxBytes; raise maxBytes, or pass the size of the data`,
  });
}
