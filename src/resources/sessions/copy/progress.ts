import { EntryCounter } from "./tar/entry-counter.js";

/** How much a copy has transferred so far. */
export interface CopyProgress {
  /** The number of files, folders and links, including the one in progress. The folder at the copied path itself does not count. */
  entries: number;
  /** The number of bytes of the content of files. The headers of archives do not count. */
  contentBytes: number;
}

/** An option of all methods that copy files into or out of a container. */
export interface ProgressOptions {
  /**
   * Receives the totals so far, at most every 100 ms, and the final totals once, when the container has finished. The call is
   * synchronous, so it should return quickly. If it throws, the copy fails with that error; a write into the container may be
   * complete by then.
   */
  onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/** The minimum interval between two calls of `onProgress`, in milliseconds. */
const intervalMs = 100;

/** Counts the entries and bytes that a copy transfers, and calls `onProgress`. Without `onProgress`, it does nothing. */
export class ProgressReporter {
  readonly #onProgress: ProgressOptions["onProgress"];
  readonly #counter: Counter;
  #reportedAt = performance.now();

  /** @param counter counts the entries and bytes; by default those of a tar archive */
  constructor({ onProgress }: ProgressOptions, counter: Counter = new EntryCounter()) {
    this.#onProgress = onProgress;
    this.#counter = counter;
  }

  /** Counts a chunk. @throws the error of `onProgress` */
  add(chunk: Uint8Array): void {
    if (!this.#onProgress) return;
    this.#counter.add(chunk);
    const now = performance.now();
    if (now - this.#reportedAt < intervalMs) return;
    this.#reportedAt = now;
    this.#report(this.#onProgress);
  }

  /** Passes a stream through, and counts it. */
  async *count<T extends Uint8Array>(chunks: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    for await (const chunk of chunks) {
      this.add(chunk);
      yield chunk;
    }
  }

  /** Reports the final totals. @throws the error of `onProgress` */
  finish(): void {
    if (this.#onProgress) this.#report(this.#onProgress);
  }

  #report(onProgress: (progress: CopyProgress) => void): void {
    const { entries, contentBytes } = this.#counter;
    onProgress({ entries, contentBytes });
  }
}

/** Counts the entries and bytes of a stream, chunk by chunk. */
interface Counter extends Readonly<CopyProgress> {
  add(chunk: Uint8Array): void;
}

/** Counts the content of a single file. */
export class FileCounter implements Counter {
  readonly entries = 1;
  contentBytes = 0;

  add({ length }: Uint8Array): void {
    this.contentBytes += length;
  }
}
