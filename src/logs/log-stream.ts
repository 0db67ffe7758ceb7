import { type BatchSource, CriStream, type TimeLimit } from "../internal/stream.js";
import type { LogEntry, LogEntryBase } from "./entry.js";

/** The entries of a log. It is iterated once; see {@link CriStream}. */
export class LogStream<E extends LogEntryBase = LogEntry> extends CriStream<E> {
  readonly #skippedLines: () => number;

  /** @internal */
  constructor(open: BatchSource<E>, skippedLines: () => number, signal?: AbortSignal | undefined, limit?: TimeLimit) {
    super(open, signal, limit);
    this.#skippedLines = skippedLines;
  }

  /**
   * How many lines were skipped so far: malformed, or longer than `maxLineBytes` in Docker's format, which has to be read as a
   * whole. Healthy logs have none. `onGap` says where they are.
   */
  get skippedLines(): number {
    return this.#skippedLines();
  }
}
