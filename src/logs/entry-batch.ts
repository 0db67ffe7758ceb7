import type { LogBytesEntry, LogEntry } from "./entry.js";
import { type Line, streamNames } from "./line.js";
import {
  type FilePosition,
  type LogPosition,
  positionPrefix,
  positionSuffix,
  unknownFingerprint,
} from "./log-position.js";
import { BytesEntry, TextEntry } from "./positioned-entry.js";
import { hasNineDigits, nineDigits } from "./timestamp.js";
import { characterBoundary } from "./utf8.js";

/** What the content of an entry is given as. */
export type LogEncoding = "utf8" | "buffer";

/** What is between timestamp and content in nearly all lines of CRI's format: ` stdout F `. */
const plainHeadBytes = 10;

/** Makes entries until as many bytes were given out as were asked for. */
export class EntryBatch {
  readonly #encoding: LogEncoding;
  #bytesLeft: number;
  #entries: (LogEntry | LogBytesEntry)[] = [];
  #fingerprint: string | undefined;
  #prefix = positionPrefix(undefined);
  #from: FilePosition | undefined;
  #suffix = "";
  /** Where the last whole line ends. */
  #end = { prefix: this.#prefix, offset: 0 };
  /** Entries up to this place were given out before. */
  #after: FilePosition | undefined;
  /** The position of the last entry; before the first one, where it begins. */
  #last = { prefix: this.#prefix, rest: 0 as number | string };
  /** Whether {@link #last} is that of an entry, given out here or by an earlier reading. */
  #hasLast = false;

  constructor(encoding: LogEncoding, limitBytes: number) {
    this.#encoding = encoding;
    this.#bytesLeft = limitBytes;
  }

  /** Whether there is nothing left to be given out. */
  get finished(): boolean {
    return this.#bytesLeft <= 0;
  }

  /** Goes on behind an entry of an earlier reading at which a line was unfinished: entries up to it are left out. */
  startAfter({ from, ...place }: LogPosition): void {
    this.#after = place;
    this.#last = { prefix: positionPrefix(place.fingerprint), rest: place.offset + positionSuffix(from) };
    this.#hasLast = true;
  }

  /** What follows is of the file with this fingerprint, from an offset on. */
  startFile(fingerprint: string | undefined, offset: number): void {
    if (this.#after && this.#fingerprint === this.#after.fingerprint && fingerprint !== this.#fingerprint)
      this.#after = undefined;
    this.#fingerprint = fingerprint;
    this.#prefix = positionPrefix(fingerprint);
    if (!this.#hasLast) this.#last = { prefix: this.#prefix, rest: this.restAt(offset) };
  }

  /** The lines before this offset of the current file are whole. */
  wholeUpTo(offset: number): void {
    this.#end.prefix = this.#prefix;
    this.#end.offset = offset;
  }

  /** Makes an entry of a line whose end is not in the log: its position is behind the last whole line. */
  addRest(timestamp: string, stream: 0 | 1, bytes: Buffer): void {
    this.#prefix = this.#end.prefix;
    this.add(timestamp, stream, true, bytes, 0, bytes.length, this.restAt(this.#end.offset));
  }

  /** A place in the current file. */
  place(offset: number): FilePosition {
    return { fingerprint: this.#fingerprint ?? unknownFingerprint, offset };
  }

  /** A line of the other stream has begun at this place and has not ended, or none has. */
  setUnfinished(begin: FilePosition | undefined): void {
    this.#from = begin;
    this.#suffix = begin ? positionSuffix(begin) : "";
  }

  /** Where to cut content: at the end, or before a character that would be cut in two. Bytes are cut anywhere. */
  boundary(bytes: Buffer, start: number, end: number): number {
    return this.#encoding === "utf8" ? characterBoundary(bytes, start, end) : end;
  }

  /** Makes an entry; the bytes are only lent. */
  add(
    timestamp: string,
    stream: 0 | 1,
    partial: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    rest: number | string,
  ): void {
    if (this.#bytesLeft <= 0) return;
    const isCut = end - start > this.#bytesLeft;
    if (isCut) end = this.boundary(bytes, start, start + this.#bytesLeft);
    // What is cut off is read again as a whole: behind the entry before it.
    const { prefix, rest: place } = isCut ? this.#last : { prefix: this.#prefix, rest };
    this.#bytesLeft = isCut ? 0 : this.#bytesLeft - (end - start);
    const name = streamNames[stream];
    this.#push(
      this.#encoding === "utf8"
        ? new TextEntry(timestamp, name, partial || isCut, bytes.toString("utf8", start, end), prefix, place)
        : new BytesEntry(timestamp, name, partial || isCut, copyOf(bytes, start, end), prefix, place),
      place,
    );
  }

  /** Makes an entry of a physical line that is one as it is. */
  addLine(line: Line): void {
    const { bytes, start, end, stream, stampBytes, stampStart, stampEnd, next } = line;
    if (this.#after && this.wasGiven(next)) return;
    const rest = this.#suffix === "" ? next : this.restAt(next);
    const isPlain = stampBytes === bytes && start === stampEnd + plainHeadBytes;
    if (
      isPlain &&
      this.#encoding === "utf8" &&
      this.#bytesLeft > end - start &&
      hasNineDigits(bytes, stampStart, stampEnd)
    ) {
      // All of the line becomes text at once, since that costs hardly more than any part of it.
      const whole = bytes.toString("utf8", stampStart, end);
      const timestamp = whole.slice(0, stampEnd - stampStart);
      this.#bytesLeft -= end - start;
      const text = whole.slice(start - stampStart);
      this.#push(new TextEntry(timestamp, streamNames[stream], false, text, this.#prefix, rest), rest);
    } else this.add(timestampOf(line), stream, false, bytes, start, end, rest);
  }

  /** What follows the prefix in the position of an entry that ends at this offset of the current file. */
  restAt(offset: number): number | string {
    const from = this.#from;
    const isSame = from === undefined || (from.offset === offset && from.fingerprint === this.#fingerprint);
    return isSame ? offset : offset + this.#suffix;
  }

  /** Whether an entry that ends at this offset of the current file was given out before. */
  wasGiven(offset: number): boolean {
    if (!this.#after) return false;
    if (this.#fingerprint !== this.#after.fingerprint || offset <= this.#after.offset) return true;
    this.#after = undefined;
    return false;
  }

  #push(entry: TextEntry | BytesEntry, rest: number | string): void {
    this.#entries.push(entry);
    this.#last.prefix = this.#prefix;
    this.#last.rest = rest;
    this.#hasLast = true;
  }

  /** What has been made since the last time. */
  take(): readonly (LogEntry | LogBytesEntry)[] {
    const entries = this.#entries;
    if (entries.length > 0) this.#entries = [];
    return entries;
  }
}

/** The timestamp of a line in nine digits; empty in a format that has none. */
export function timestampOf({ stampBytes, stampStart, stampEnd }: Line): string {
  return stampEnd > stampStart ? nineDigits(stampBytes, stampStart, stampEnd) : "";
}

/** Several times as fast as `Buffer.from(bytes.subarray(start, end))`. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
