import type { Line } from "./line.js";
import { compareInstants, type Instant, instantOf } from "./timestamp.js";

/** Which lines of a log were asked for. */
export class LineFilter {
  readonly #streams: readonly [boolean, boolean];
  readonly #since: Instant | undefined;
  readonly #until: Instant | undefined;
  #skip: [number, number] = [0, 0];

  constructor(streams: readonly [boolean, boolean], since: Instant | undefined, until: Instant | undefined) {
    this.#streams = streams;
    this.#since = since;
    this.#until = until;
  }

  /** Leaves out that many lines of each stream before all others, of those that {@link counts} is true for. */
  skip(lines: readonly [number, number]): void {
    this.#skip = [...lines];
  }

  hasStream(stream: 0 | 1): boolean {
    return this.#streams[stream];
  }

  /** Whether a line that begins here was asked for; its stream was. */
  wants(line: Line): boolean {
    if (this.#skip[line.stream] > 0) return false;
    if (!this.#since && !this.#until) return true;
    const instant = instantOf(line.stampBytes, line.stampStart, line.stampEnd);
    if (this.#since && compareInstants(instant, this.#since) < 0) return false;
    return !this.#until || compareInstants(instant, this.#until) <= 0;
  }

  /**
   * Whether a line counts for the number of lines to be read from the end: it is of a stream that was asked for, and not too
   * late.
   */
  counts(line: Line): boolean {
    if (!this.#streams[line.stream]) return false;
    return (
      !this.#until || compareInstants(instantOf(line.stampBytes, line.stampStart, line.stampEnd), this.#until) <= 0
    );
  }

  /** Hears of every physical line that ends a line. */
  ended(line: Line): void {
    if (this.#skip[line.stream] > 0 && this.counts(line)) this.#skip[line.stream]--;
  }
}
