import { type EntryBatch, timestampOf } from "./entry-batch.js";
import type { Line, LineSink } from "./line.js";
import type { LineFilter } from "./line-filter.js";
import { type FilePosition, unknownFingerprint } from "./log-position.js";

/** What is known of a line of one stream whose end has not come. */
class Unfinished {
  /** Whether a line has begun. Without one there may still be the beginning of a character that the part before ended in. */
  begun = false;
  wanted = false;
  timestamp = "";
  /** Where the line begins. */
  begin: FilePosition = { fingerprint: unknownFingerprint, offset: 0 };
  /** How many lines had begun before this one: an earlier one may be in an earlier file. */
  order = 0;
  length = 0;
  #parts: Buffer[] = [];

  /** Keeps a copy. */
  add(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
    this.length += end - start;
  }

  /** All of it, which is then no longer here. */
  take(): Buffer {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#parts = [];
    this.length = 0;
    return whole;
  }
}

/**
 * Puts physical lines together to entries, for each stream on its own, and keeps those that were asked for. Lines are joined
 * as bytes, so that a character that a runtime cut in two becomes whole again.
 */
export class LineAssembler implements LineSink {
  readonly #filter: LineFilter;
  readonly #entries: EntryBatch;
  readonly #joins: boolean;
  readonly #maxBytes: number;
  readonly #unfinished = [new Unfinished(), new Unfinished()] as const;
  #begun = 0;

  /**
   * @param joins put the parts of a line together, or give out every physical line
   * @param maxBytes the longest content of an entry; longer lines come in pieces
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
      // Nearly all lines are of this kind: nothing has to be kept, so nothing is copied.
      if (this.#filter.wants(line)) this.#entries.addLine(line);
    } else {
      if (!unfinished.begun) this.#begin(unfinished, line);
      if (unfinished.wanted) this.#append(unfinished, line);
      if (complete) this.#give(unfinished, line, partial, cutOff);
      else this.#notePending();
    }
    this.#entries.wholeUpTo(atEnd && !cutOff ? line.next : line.offset);
    if (atEnd && !line.partial) this.#filter.ended(line);
  }

  /** Begins with another file. What the file before has cut off is no longer unfinished. */
  startFile(): void {
    this.#notePending();
  }

  /** Gives out what has no end, as partial. */
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
    unfinished.order = this.#begun++;
    unfinished.timestamp = timestampOf(line);
    unfinished.begin = this.#entries.place(line.offset);
  }

  #append(unfinished: Unfinished, line: Line): void {
    unfinished.add(line.bytes, line.start, line.end);
    if (unfinished.length <= this.#maxBytes) return;
    this.#notePending();
    const rest = this.#entries.restAt(line.offset);
    const whole = unfinished.take();
    let at = 0;
    while (whole.length - at > this.#maxBytes) {
      const end = this.#entries.boundary(whole, at, at + this.#maxBytes);
      if (!this.#entries.wasGiven(line.next)) {
        this.#entries.add(unfinished.timestamp, line.stream, true, whole, at, end, rest);
      }
      at = end;
    }
    unfinished.add(whole, at, whole.length);
  }

  /** Gives out what has come of a line, but for the beginning of a character whose rest is in the next part. */
  #give(unfinished: Unfinished, line: Line, partial: boolean, cutOff: boolean): void {
    if (!unfinished.wanted) {
      unfinished.begun = false;
      return;
    }
    // What the file cuts off counts as unfinished: it is read again as a whole.
    if (cutOff) this.#notePending();
    unfinished.begun = false;
    const whole = unfinished.take();
    const end = line.partial ? this.#entries.boundary(whole, 0, whole.length) : whole.length;
    unfinished.add(whole, end, whole.length);
    if (!cutOff) this.#notePending();
    if (this.#entries.wasGiven(line.next)) return;
    const rest = this.#entries.restAt(cutOff ? line.offset : line.next);
    this.#entries.add(unfinished.timestamp, line.stream, partial, whole, 0, end, rest);
  }

  /** Has the positions of entries say where the earliest line begins that is still unfinished. */
  #notePending(): void {
    const pending = this.#unfinished.filter(({ begun, wanted, length }) => (begun && wanted) || length > 0);
    this.#entries.setUnfinished(pending.sort((left, right) => left.order - right.order)[0]?.begin);
  }
}
