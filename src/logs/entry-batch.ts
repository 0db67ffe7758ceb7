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

/** The form of an entry's content: `text` or `bytes`. */
export type LogEncoding = "utf8" | "buffer";

/** Length of the part between timestamp and content in nearly all lines of CRI's format: ` stdout F `. */
const plainHeadBytes = 10;

/** Collects entries until the requested number of bytes is reached. */
export class EntryBatch {
  readonly #encoding: LogEncoding;
  #bytesLeft: number;
  #entries: (LogEntry | LogBytesEntry)[] = [];
  #fingerprint: string | undefined;
  #prefix = positionPrefix(undefined);
  #from: FilePosition | undefined;
  #suffix = "";
  /** Where the last complete line ends. */
  #end = { prefix: this.#prefix, offset: 0 };
  /** Entries up to this position were emitted before. */
  #after: FilePosition | undefined;
  /** The position of the last entry; before the first entry, where reading starts. */
  #last = { prefix: this.#prefix, rest: 0 as number | string };
  /** Whether {@link #last} is the position of an entry, which may have been emitted by an earlier reader. */
  #hasLast = false;

  constructor(encoding: LogEncoding, limitBytes: number) {
    this.#encoding = encoding;
    this.#bytesLeft = limitBytes;
  }

  /** Whether the requested number of bytes was reached. */
  get finished(): boolean {
    return this.#bytesLeft <= 0;
  }

  /**
   * Resumes after an entry of an earlier reader. A line of the other stream was unfinished at that entry, so reading starts
   * earlier, and the entries up to that position are omitted.
   */
  startAfter({ from, ...end }: LogPosition): void {
    this.#after = end;
    this.#last = { prefix: positionPrefix(end.fingerprint), rest: end.offset + positionSuffix(from) };
    this.#hasLast = true;
  }

  /** Starts a file at an offset. Called again once the fingerprint of the file is known. */
  startFile(fingerprint: string | undefined, offset: number): void {
    if (this.#after && this.#fingerprint === this.#after.fingerprint && fingerprint !== this.#fingerprint)
      this.#after = undefined;
    this.#fingerprint = fingerprint;
    this.#prefix = positionPrefix(fingerprint);
    if (!this.#hasLast) this.#last = { prefix: this.#prefix, rest: this.restAt(offset) };
  }

  /** Records that the lines before this offset of the current file are complete. */
  completeUpTo(offset: number): void {
    this.#end.prefix = this.#prefix;
    this.#end.offset = offset;
  }

  /** Adds the beginning of a line whose end is not in the log. The position of the entry is the end of the last complete line. */
  addRest(timestamp: string, stream: 0 | 1, bytes: Buffer): void {
    this.#prefix = this.#end.prefix;
    this.add(timestamp, stream, true, bytes, 0, bytes.length, this.restAt(this.#end.offset));
  }

  /** Returns the position of an offset in the current file. */
  positionAt(offset: number): FilePosition {
    return { fingerprint: this.#fingerprint ?? unknownFingerprint, offset };
  }

  /** Sets where the earliest unfinished line of the other stream begins, if there is one. */
  setUnfinished(begin: FilePosition | undefined): void {
    this.#from = begin;
    this.#suffix = begin ? positionSuffix(begin) : "";
  }

  /**
   * Returns where to cut content: at `end`, or before a character that `end` would split. Entries of bytes are always cut at
   * `end`.
   */
  boundary(bytes: Buffer, start: number, end: number): number {
    return this.#encoding === "utf8" ? characterBoundary(bytes, start, end) : end;
  }

  /** Adds an entry. The bytes are copied or decoded. */
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
    // A cut line has the position of the entry before it, so that resuming reads the whole line again.
    const { prefix, rest: ownRest } = isCut ? this.#last : { prefix: this.#prefix, rest };
    this.#bytesLeft = isCut ? 0 : this.#bytesLeft - (end - start);
    const name = streamNames[stream];
    this.#push(
      this.#encoding === "utf8"
        ? new TextEntry(timestamp, name, partial || isCut, bytes.toString("utf8", start, end), prefix, ownRest)
        : new BytesEntry(timestamp, name, partial || isCut, copyOf(bytes, start, end), prefix, ownRest),
      ownRest,
    );
  }

  /** Adds a physical line that is an entry of its own. */
  addLine(line: Line): void {
    const { bytes, start, end, stream, stampBytes, stampStart, stampEnd, next } = line;
    if (this.#after && this.wasEmitted(next)) return;
    const rest = this.#suffix === "" ? next : this.restAt(next);
    const isPlain = stampBytes === bytes && start === stampEnd + plainHeadBytes;
    if (
      isPlain &&
      this.#encoding === "utf8" &&
      this.#bytesLeft > end - start &&
      hasNineDigits(bytes, stampStart, stampEnd)
    ) {
      // Decoding the whole line at once costs hardly more than decoding a part of it.
      const whole = bytes.toString("utf8", stampStart, end);
      const timestamp = whole.slice(0, stampEnd - stampStart);
      this.#bytesLeft -= end - start;
      const text = whole.slice(start - stampStart);
      this.#push(new TextEntry(timestamp, streamNames[stream], false, text, this.#prefix, rest), rest);
    } else this.add(timestampOf(line), stream, false, bytes, start, end, rest);
  }

  /** Returns the part of a position after its prefix, for an entry that ends at this offset of the current file. */
  restAt(offset: number): number | string {
    const from = this.#from;
    const isSame = from === undefined || (from.offset === offset && from.fingerprint === this.#fingerprint);
    return isSame ? offset : offset + this.#suffix;
  }

  /** Returns whether an entry that ends at this offset of the current file was emitted before. */
  wasEmitted(offset: number): boolean {
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

  /** Returns the entries since the last call. */
  take(): readonly (LogEntry | LogBytesEntry)[] {
    const entries = this.#entries;
    if (entries.length > 0) this.#entries = [];
    return entries;
  }
}

/** Returns the timestamp of a line with nine digits of the second, or an empty string in a format without timestamps. */
export function timestampOf({ stampBytes, stampStart, stampEnd }: Line): string {
  return stampEnd > stampStart ? nineDigits(stampBytes, stampStart, stampEnd) : "";
}

/** Copies a range of bytes, several times as fast as `Buffer.from(bytes.subarray(start, end))`. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
