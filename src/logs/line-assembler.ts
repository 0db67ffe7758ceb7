import { type EntryBatch, timestampOf } from "./entry-batch.js";
import type { Line, LineSink } from "./line.js";
import type { LineFilter } from "./line-filter.js";
import { type FilePosition, unknownFingerprint } from "./log-position.js";

/** The content of a line of one stream whose end was not read yet. */
class Unfinished {
  /** Whether a line has begun. If not, the content may still hold the beginning of a character that was split between parts. */
  begun = false;
  wanted = false;
  timestamp = "";
  /** Where the line begins. */
  begin: FilePosition = { fingerprint: unknownFingerprint, offset: 0 };
  /** Ordinal among the lines that have begun. Offsets cannot be compared, because lines may begin in different files. */
  order = 0;
  length = 0;
  #parts: Buffer[] = [];

  /** Appends a copy of the bytes. */
  add(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
    this.length += end - start;
  }

  /** Returns and clears the content. */
  take(): Buffer {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#parts = [];
    this.length = 0;
    return whole;
  }
}

/**
 * Joins physical lines to entries, for each stream separately, and keeps the lines that the filter wants. It joins bytes, which
 * restores characters that a runtime split.
 */
export class LineAssembler implements LineSink {
  readonly #filter: LineFilter;
  readonly #entries: EntryBatch;
  readonly #joins: boolean;
  readonly #maxBytes: number;
  readonly #unfinished = [new Unfinished(), new Unfinished()] as const;
  #begunCount = 0;

  /**
   * @param joins whether to join the parts of a line, or to emit each physical line
   * @param maxBytes the maximum content of an entry; longer lines are split
   */
  constructor(filter: LineFilter, entries: EntryBatch, joins: boolean, maxBytes: number) {
    this.#filter = filter;
    this.#entries = entries;
    this.#joins = joins;
    this.#maxBytes = maxBytes;
  }

  line(line: Line, atEnd: boolean, cutOff: boolean): void {
    const { stream } = line;
    if (!this.#filter.hasStream(stream)) return;
    const unfinished = this.#unfinished[stream];
    const complete = atEnd && !(this.#joins && line.partial);
    const partial = line.partial || cutOff;
    if (
      complete &&
      !partial &&
      !unfinished.begun &&
      unfinished.length === 0 &&
      line.end - line.start <= this.#maxBytes
    ) {
      // The fast path for nearly all lines: nothing is buffered or copied.
      if (this.#filter.wants(line)) this.#entries.addLine(line);
    } else {
      if (!unfinished.begun) this.#begin(unfinished, line);
      if (unfinished.wanted) this.#append(unfinished, line);
      if (complete) this.#emit(unfinished, line, partial, cutOff);
      else this.#updatePending();
    }
    this.#entries.completeUpTo(atEnd && !cutOff ? line.next : line.offset);
    if (atEnd && !line.partial) this.#filter.ended(line);
  }

  /** Starts another file. A line that was cut off at the end of the previous file is no longer unfinished. */
  startFile(): void {
    this.#updatePending();
  }

  /** Emits lines without an end as partial entries. */
  flush(): void {
    for (const stream of [0, 1] as const) {
      const unfinished = this.#unfinished[stream];
      if (!(unfinished.begun && unfinished.wanted) && unfinished.length === 0) continue;
      this.#entries.addRest(unfinished.timestamp, stream, unfinished.take());
      unfinished.begun = false;
    }
  }

  #begin(unfinished: Unfinished, line: Line): void {
    unfinished.begun = true;
    unfinished.wanted = this.#filter.wants(line);
    if (!unfinished.wanted) {
      unfinished.take();
      return;
    }
    unfinished.order = this.#begunCount++;
    unfinished.timestamp = timestampOf(line);
    unfinished.begin = this.#entries.positionAt(line.offset);
  }

  #append(unfinished: Unfinished, line: Line): void {
    unfinished.add(line.bytes, line.start, line.end);
    if (unfinished.length <= this.#maxBytes) return;
    this.#updatePending();
    const rest = this.#entries.restAt(line.offset);
    const whole = unfinished.take();
    let start = 0;
    while (whole.length - start > this.#maxBytes) {
      const end = this.#entries.boundary(whole, start, start + this.#maxBytes);
      if (!this.#entries.wasEmitted(line.next)) {
        this.#entries.add(unfinished.timestamp, line.stream, true, whole, start, end, rest);
      }
      start = end;
    }
    unfinished.add(whole, start, whole.length);
  }

  /** Emits the content so far, but not the last character if its rest is in the next part. */
  #emit(unfinished: Unfinished, line: Line, partial: boolean, cutOff: boolean): void {
    if (!unfinished.wanted) {
      unfinished.begun = false;
      return;
    }
    // A line that the file cuts off counts as unfinished, so that resuming reads all of it again.
    if (cutOff) this.#updatePending();
    unfinished.begun = false;
    const whole = unfinished.take();
    const end = line.partial ? this.#entries.boundary(whole, 0, whole.length) : whole.length;
    unfinished.add(whole, end, whole.length);
    if (!cutOff) this.#updatePending();
    if (this.#entries.wasEmitted(line.next)) return;
    const rest = this.#entries.restAt(cutOff ? line.offset : line.next);
    this.#entries.add(unfinished.timestamp, line.stream, partial, whole, 0, end, rest);
  }

  /** Updates where the earliest unfinished line begins. The positions of entries contain this place. */
  #updatePending(): void {
    const pending = this.#unfinished.filter(({ begun, wanted, length }) => (begun && wanted) || length > 0);
    this.#entries.setUnfinished(pending.sort((left, right) => left.order - right.order)[0]?.begin);
  }
}
