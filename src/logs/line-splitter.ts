import { criFormat } from "./cri-format.js";
import { dockerFormat } from "./docker-format.js";
import { Line, type LineSink, type LogFormat } from "./line.js";
import { unknownFormat } from "./log-failure.js";

/** How much is read at a time, in bytes. */
const chunkBytes = 256 * 1024;

const lineBreak = 0x0a;

/** The format of a file whose first line is given; fills `line` with it. */
export function detectFormat(bytes: Buffer, start: number, end: number, line: Line): LogFormat | undefined {
  return [criFormat, dockerFormat].find((format) => format.parse(bytes, start, end, line));
}

/** Cuts the bytes of log files into lines, reads them by the format of their file, and passes them on. */
export class LineSplitter {
  /** Lines that could not be read: neither format, or too long for one that has to be read as a whole. */
  skippedLines = 0;
  readonly #sink: LineSink;
  readonly #maxBytes: number;
  readonly #line = new Line();
  #path = "";
  #format: LogFormat | undefined;
  #bytes = Buffer.allocUnsafe(chunkBytes);
  #filled = 0;
  /** Where to look on for a line break: what precedes it has been looked through. */
  #searched = 0;
  /** What is to be done with the rest of a line whose beginning is no longer here. */
  #rest: "none" | "pass" | "skip" = "none";

  /** @param maxBytes the longest line to hold; longer ones are passed on in parts, or skipped where the format needs all of it */
  constructor(sink: LineSink, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = Math.max(maxBytes, chunkBytes);
  }

  /**
   * Begins with another file: the format is found out again.
   *
   * @param format of a file that is not read from its beginning
   */
  startFile(path: string, format?: LogFormat | undefined): void {
    this.#path = path;
    this.#format = format;
    this.#filled = this.#searched = 0;
    this.#rest = "none";
  }

  /** Where the next bytes of the file are to be put; never empty. */
  space(): Buffer {
    if (this.#filled === this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#bytes.length * 2, this.#maxBytes + chunkBytes));
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    return this.#bytes.subarray(this.#filled);
  }

  /**
   * Passes on the lines that are complete with that many more bytes in {@link space}.
   *
   * @throws CriError when the first line is of no format
   */
  added(count: number): void {
    this.#filled += count;
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
    this.#filled = this.#searched = this.#filled - start;
  }

  /** The same for bytes that were read elsewhere. @throws CriError as {@link added} does */
  addCopy(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const copied = bytes.copy(this.space(), 0, at);
      this.added(copied);
      at += copied;
    }
  }

  /** Passes on what is left at the end of the file without a line break. @throws CriError as {@link added} does */
  endFile(): void {
    if (this.#filled > 0) this.#take(this.#bytes, 0, this.#filled, true, true);
    this.#filled = this.#searched = 0;
    this.#rest = "none";
  }

  #take(bytes: Buffer, start: number, end: number, atEnd: boolean, cutOff: boolean): void {
    if (this.#rest === "none" && !this.#parse(bytes, start, end, atEnd)) {
      this.skippedLines++;
      this.#rest = "skip";
    } else if (this.#rest === "pass") {
      this.#line.bytes = bytes;
      this.#line.start = start;
      this.#line.end = end;
    }
    if (this.#rest !== "skip") {
      this.#sink.line(this.#line, atEnd, cutOff);
      this.#rest = "pass";
    }
    if (atEnd) this.#rest = "none";
  }

  #parse(bytes: Buffer, start: number, end: number, whole: boolean): boolean {
    if (this.#format)
      return (whole || this.#format.readsBeginnings) && this.#format.parse(bytes, start, end, this.#line);
    this.#format = detectFormat(bytes, start, end, this.#line);
    if (!this.#format) throw unknownFormat(this.#path);
    return true;
  }
}
