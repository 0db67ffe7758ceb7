import type { LogBytesEntry, LogEntry } from "./entry.js";
import { type Line, streamNames } from "./line.js";
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

  constructor(encoding: LogEncoding, limitBytes: number) {
    this.#encoding = encoding;
    this.#bytesLeft = limitBytes;
  }

  /** Whether there is nothing left to be given out. */
  get finished(): boolean {
    return this.#bytesLeft <= 0;
  }

  /** Where to cut content: at the end, or before a character that would be cut in two. Bytes are cut anywhere. */
  boundary(bytes: Buffer, start: number, end: number): number {
    return this.#encoding === "utf8" ? characterBoundary(bytes, start, end) : end;
  }

  /** Makes an entry; the bytes are only lent. */
  add(timestamp: string, stream: 0 | 1, partial: boolean, bytes: Buffer, start: number, end: number): void {
    if (this.#bytesLeft <= 0) return;
    if (end - start > this.#bytesLeft) {
      end = this.boundary(bytes, start, start + this.#bytesLeft);
      partial = true;
      this.#bytesLeft = 0;
    } else this.#bytesLeft -= end - start;
    this.#entries.push(
      this.#encoding === "utf8"
        ? { timestamp, stream: streamNames[stream], partial, text: bytes.toString("utf8", start, end) }
        : { timestamp, stream: streamNames[stream], partial, bytes: copyOf(bytes, start, end) },
    );
  }

  /** Makes an entry of a physical line that is one as it is. */
  addLine(line: Line): void {
    const { bytes, start, end, stream, stampBytes, stampStart, stampEnd } = line;
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
      this.#entries.push({
        timestamp,
        stream: streamNames[stream],
        partial: false,
        text: whole.slice(start - stampStart),
      });
    } else this.add(nineDigits(stampBytes, stampStart, stampEnd), stream, false, bytes, start, end);
  }

  /** What has been made since the last time. */
  take(): readonly (LogEntry | LogBytesEntry)[] {
    const entries = this.#entries;
    if (entries.length > 0) this.#entries = [];
    return entries;
  }
}

/** Several times as fast as `Buffer.from(bytes.subarray(start, end))`. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
