import { sleep } from "../internal/timer.js";
import type { Entries, LogDecoder } from "./log-decoder.js";
import { type LogFile, openIfThere } from "./log-file.js";
import { compressedName, unzip } from "./rotated.js";
import type { RotatedStart } from "./start.js";
import type { TailStart } from "./tail.js";

/**
 * How long a rotated file has to be unchanged until it counts as complete, in milliseconds: a runtime makes the new file before
 * it has written all to the old one.
 */
export const handOverMs = 200;

/** How often that is waited for. Who still writes then has not been told of the rotation. */
const maxHandOvers = 25;

/** Reads files into a decoder. */
export class LogReader {
  readonly #decoder: LogDecoder;
  readonly #signal: AbortSignal;

  constructor(decoder: LogDecoder, signal: AbortSignal) {
    this.#decoder = decoder;
    this.#signal = signal;
  }

  /** Whether all that was asked for has been given out. */
  get finished(): boolean {
    return this.#decoder.finished;
  }

  /** Begins with an open file. */
  start(file: LogFile, { position, format }: TailStart = { position: 0 }): void {
    file.position = position;
    this.#decoder.startFile(file.path, format);
  }

  /** What there is from the current position to the end of the file; may be called again when there is more. */
  async *toEnd(file: LogFile): AsyncGenerator<Entries> {
    while (!this.finished) {
      this.#signal.throwIfAborted();
      const count = await file.read(this.#decoder.space());
      if (count === 0) return;
      yield this.#decoder.added(count);
    }
  }

  /** What is yet to come in a file that has been rotated away and was read to its end. */
  async *lastWords(file: LogFile): AsyncGenerator<Entries> {
    for (let round = 0; round < maxHandOvers; round++) {
      // A file from the future, after the clock was set back, is waited for no longer than any other.
      const waitMs = Math.min(handOverMs, handOverMs - (await file.unchangedMs()));
      if (waitMs <= 0) return;
      await sleep(waitMs, this.#signal);
      yield* this.toEnd(file);
    }
  }

  /** What a file holds behind its last line break, once nothing more is to be read from it. */
  endFile(): Entries {
    return this.#decoder.endFile();
  }

  /** What is left of lines without an end, once there are no more files. */
  end(): Entries {
    return this.#decoder.end();
  }

  /** A rotated file as a whole, be it compressed by now. One that has been removed meanwhile is empty. */
  async *rotated({ path, position, format }: RotatedStart): AsyncGenerator<Entries> {
    const file = await openIfThere(path);
    if (file) {
      try {
        this.start(file, { position, format });
        yield* this.toEnd(file);
        yield* this.lastWords(file);
      } finally {
        await file.close();
      }
    } else {
      this.#decoder.startFile(path, format);
      yield* this.#compressed(compressedName(path), position);
    }
    yield this.endFile();
  }

  async *#compressed(path: string, position: number): AsyncGenerator<Entries> {
    let toSkip = position;
    for await (const chunk of unzip(path, this.#signal)) {
      yield this.#decoder.add(chunk.subarray(toSkip));
      toSkip = Math.max(0, toSkip - chunk.length);
      if (this.finished) return;
    }
  }
}
