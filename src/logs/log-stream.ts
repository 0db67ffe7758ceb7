import { type BatchSource, CriStream, type TimeLimit } from "../internal/stream.js";
import type { LogEntry, LogEntryBase } from "./entry.js";

/** The entries of a log. It can be iterated once; see {@link CriStream}. */
export class LogStream<E extends LogEntryBase = LogEntry> extends CriStream<E> {
  readonly #skippedLines: () => number;

  /** @internal */
  constructor(open: BatchSource<E>, skippedLines: () => number, signal?: AbortSignal | undefined, limit?: TimeLimit) {
    super(open, signal, limit);
    this.#skippedLines = skippedLines;
  }

  /**
   * The number of lines that were skipped so far, because they were malformed, or longer than `maxLineBytes` in Docker's format, whose
   * lines must be parsed as a whole. Healthy logs have none. `onGap` reports where they are.
   */
  get skippedLines(): number {
    return this.#skippedLines();
  }
}
