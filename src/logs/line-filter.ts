import type { Line } from "./line.js";
import { compareInstants, type Instant, instantOf } from "./timestamp.js";

/** Decides which lines of a log are emitted. */
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

  /** Omits this number of lines of each stream before all others. Only lines for which {@link counts} is true are counted. */
  skip(lines: readonly [number, number]): void {
    this.#skip = [...lines];
  }

  hasStream(stream: 0 | 1): boolean {
    return this.#streams[stream];
  }

  /** Returns whether a line that begins with this physical line is emitted. Its stream must be a requested one. */
  wants(line: Line): boolean {
    if (this.#skip[line.stream] > 0) return false;
    if (!this.#since && !this.#until) return true;
    const instant = instantOf(line.stampBytes, line.stampStart, line.stampEnd);
    if (this.#since && compareInstants(instant, this.#since) < 0) return false;
    return !this.#until || compareInstants(instant, this.#until) <= 0;
  }

  /** Returns whether a line counts towards `tailLines`: its stream was requested, and it is not later than `until`. */
  counts(line: Line): boolean {
    if (!this.#streams[line.stream]) return false;
    return (
      !this.#until || compareInstants(instantOf(line.stampBytes, line.stampStart, line.stampEnd), this.#until) <= 0
    );
  }

  /** Counts a line that has ended. Must be called for every physical line that ends a line. */
  ended(line: Line): void {
    if (this.#skip[line.stream] > 0 && this.counts(line)) this.#skip[line.stream]--;
  }
}
