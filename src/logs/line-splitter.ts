import { criFormat } from "./cri-format.js";
import { dockerFormat } from "./docker-format.js";
import { Line, type LineSink, type LogFormat } from "./line.js";
import type { GapReason, ReportGap } from "./log-gap.js";

/** How much to read at a time, in bytes. */
const chunkBytes = 256 * 1024;

/** How much to read first, in bytes: enough for the new lines of most followed logs, of which there may be thousands. */
const smallBytes = 4 * 1024;

/** The buffer of {@link chunkBytes} that was given back last. */
let spare: Buffer | undefined;

const lineBreak = 0x0a;

/** Detects the format of a line and parses it into `line`. */
export function detectFormat(bytes: Buffer, start: number, end: number, line: Line): LogFormat | undefined {
  return [criFormat, dockerFormat].find((format) => format.parse(bytes, start, end, line));
}

/**
 * Returns the offset of the first byte from `start` on that is not zero, or `end`. Truncation in place and crashes leave holes of
 * zero bytes before a line.
 */
export function skipZeros(bytes: Buffer, start: number, end: number): number {
  while (start < end && bytes[start] === 0) start++;
  return start;
}

/**
 * Splits the bytes of log files into lines, parses them in the format of their file, and passes them to a sink. Malformed lines
 * are skipped, counted and reported. A valid line behind a hole of zero bytes is read.
 */
export class LineSplitter {
  /** The number of skipped lines: malformed, or too long for a format that must be parsed as a whole. */
  skippedLines = 0;
  /** Whether the format of at least one file is known. */
  knowsFormat = false;
  /** Whether a complete line was malformed. */
  hasMalformed = false;
  readonly #sink: LineSink;
  readonly #maxBytes: number;
  readonly #fixedFormat: LogFormat | undefined;
  readonly #onGap: ReportGap;
  readonly #line = new Line();
  #path = "";
  #format: LogFormat | undefined;
  readonly #small = Buffer.allocUnsafeSlow(smallBytes);
  #bytes: Buffer = this.#small;
  #filled = 0;
  /** Where the search for a line break continues. */
  #searched = 0;
  /** Where in the file the buffer begins. */
  #base = 0;
  /** How to handle the rest of a line whose beginning was passed on or skipped. */
  #rest: "none" | "pass" | "skip" = "none";
  /** Where in the file the current physical line begins. */
  #lineOffset = 0;

  /**
   * @param maxBytes the length of the longest line to buffer. Longer lines are passed on in parts, or skipped if the format must
   *   be parsed as a whole
   * @param format the format of every file; by default, it is detected for each file
   */
  constructor(sink: LineSink, maxBytes: number, onGap: ReportGap, format?: LogFormat | undefined) {
    this.#sink = sink;
    this.#maxBytes = Math.max(maxBytes, chunkBytes);
    this.#onGap = onGap;
    this.#fixedFormat = format;
  }

  /**
   * Starts another file and detects its format.
   *
   * @param offset the position in the file of the first byte to read
   * @param format the format of a file that is not read from its beginning
   */
  startFile(path: string, offset = 0, format?: LogFormat | undefined): void {
    this.#path = path;
    this.#format = this.#fixedFormat ?? format;
    if (format) this.knowsFormat = true;
    this.#filled = this.#searched = 0;
    this.#base = this.#lineOffset = offset;
    this.#rest = "none";
  }

  /** How much of the file was read, in bytes. */
  get offset(): number {
    return this.#base + this.#filled;
  }

  /** Returns the buffer to which the caller writes the next bytes of the file; never empty. */
  space(): Buffer {
    const { length } = this.#bytes;
    if (this.#filled === length) this.#moveTo(Buffer.allocUnsafe(Math.min(length * 2, this.#maxBytes + chunkBytes)));
    return this.#bytes.subarray(this.#filled);
  }

  /** Processes bytes that the caller has written to {@link space}: passes on the lines that are now complete. */
  added(count: number): void {
    this.#filled += count;
    const isFull = this.#filled === this.#bytes.length;
    const bytes = this.#bytes.subarray(0, this.#filled);
    let start = 0;
    for (let end = bytes.indexOf(lineBreak, this.#searched); end >= 0; end = bytes.indexOf(lineBreak, start)) {
      this.#take(bytes, start, end, true, false);
      start = end + 1;
    }
    if (this.#filled - start >= this.#maxBytes) {
      this.#take(bytes, start, this.#filled, false, false);
      start = this.#filled;
    }
    if (start > 0) bytes.copyWithin(0, start);
    this.#base += start;
    this.#filled = this.#searched = this.#filled - start;
    // There may be more than fits into the small buffer.
    if (isFull && this.#bytes === this.#small) this.#moveTo(takeChunk());
  }

  /** Gives a large buffer back until there is more to read. Keeps the bytes of an unfinished line. */
  pause(): void {
    if (this.#bytes === this.#small || this.#filled >= smallBytes) return;
    if (this.#bytes.length === chunkBytes) spare = this.#bytes;
    this.#moveTo(this.#small);
  }

  #moveTo(other: Buffer): void {
    this.#bytes.copy(other, 0, 0, this.#filled);
    this.#bytes = other;
  }

  /** Copies bytes to the buffer, and passes on the lines that are now complete. */
  addCopy(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const copied = bytes.copy(this.space(), 0, at);
      this.added(copied);
      at += copied;
    }
  }

  /** Passes on a last line without a line break. */
  endFile(): void {
    if (this.#filled > 0) this.#take(this.#bytes, 0, this.#filled, true, true);
    this.#base += this.#filled;
    this.#filled = this.#searched = 0;
    this.#rest = "none";
  }

  #take(bytes: Buffer, start: number, end: number, atEnd: boolean, cutOff: boolean): void {
    const line = this.#line;
    line.offset = this.#lineOffset;
    line.next = this.#base + end + (cutOff ? 0 : 1);
    let isHole = false;
    if (this.#rest === "none" && bytes[start] === 0) {
      const content = skipZeros(bytes, start, end);
      this.#report("zeros", start, content);
      isHole = content === end;
      start = content;
    }
    if (isHole) {
      if (atEnd) this.skippedLines++;
    } else if (this.#rest === "none" && !this.#parse(bytes, start, end, atEnd)) {
      this.skippedLines++;
      if (!cutOff) this.hasMalformed = true;
      this.#report(atEnd || this.#format?.readsBeginnings ? "malformed" : "tooLong", start, end);
      this.#rest = "skip";
    } else if (this.#rest === "pass") {
      line.bytes = bytes;
      line.start = start;
      line.end = end;
    }
    if (this.#rest !== "skip" && !isHole) {
      this.#sink.line(line, atEnd, cutOff);
      this.#rest = "pass";
    }
    if (!atEnd) return;
    this.#rest = "none";
    this.#lineOffset = line.next;
  }

  #parse(bytes: Buffer, start: number, end: number, whole: boolean): boolean {
    if (this.#format) {
      if (!whole && !this.#format.readsBeginnings) return false;
      if (!this.#format.parse(bytes, start, end, this.#line)) return false;
    } else {
      this.#format = detectFormat(bytes, start, end, this.#line);
      if (!this.#format) return false;
    }
    this.knowsFormat = true;
    return true;
  }

  #report(reason: GapReason, start: number, end: number): void {
    this.#onGap({ reason, path: this.#path, offset: this.#base + start, bytes: end - start });
  }
}

function takeChunk(): Buffer {
  const chunk = spare ?? Buffer.allocUnsafe(chunkBytes);
  spare = undefined;
  return chunk;
}
