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
   * The number of lines that were skipped so far: malformed lines, and lines in Docker's format that are longer than
   * `maxLineBytes`, because their JSON must be parsed as a whole. Healthy logs have no such lines. `onGap` reports where they
   * are.
   */
  get skippedLines(): number {
    return this.#skippedLines();
  }
}
