import type { FileStart } from "./file-start.js";
import { Line, type LineSink, type LogFormat } from "./line.js";
import type { LineFilter } from "./line-filter.js";
import { detectFormat, LineSplitter } from "./line-splitter.js";
import { eachLineFromEnd } from "./lines-from-end.js";
import type { LogFile } from "./log-file.js";

/**
 * Counts lines from the end of a log to find where reading starts. Parts of both streams may alternate, so reading starts before
 * the first part of every counted line. {@link skip} is the number of lines of each stream that end after the start but were not
 * requested.
 */
export class TailSearch {
  /** The number of lines still to find. */
  left: number;
  readonly skip: [number, number] = [0, 0];
  readonly #filter: LineFilter;
  readonly #maxBytes: number;
  readonly #format: LogFormat | undefined;
  /** For each stream, whether the search still has to find the beginning of the last counted line. */
  readonly #seeksBeginning = [false, false];
  readonly #seen = [false, false];

  /**
   * @param maxBytes the maximum length of a line, which limits the search for its beginning
   * @param format the format of every file; detected by default
   */
  constructor(lines: number, filter: LineFilter, maxBytes: number, format?: LogFormat | undefined) {
    this.left = lines;
    this.#filter = filter;
    this.#maxBytes = maxBytes;
    this.#format = format;
  }

  /** Searches a file up to a size. Returns where reading starts: at 0 if the lines may begin in an earlier file. */
  async search(file: LogFile, size: number): Promise<FileStart> {
    const line = new Line();
    let format = this.#format;
    let position = 0;
    let foundAt: number | undefined;
    await eachLineFromEnd(file, size, this.#maxBytes, (bytes, start, end, lineStart, lineEnd) => {
      if (this.left === 0) foundAt ??= lineEnd;
      const hasBreak = lineEnd < size;
      // A last line without a line break is still being written, so the result always includes it.
      format ??= detectFormat(bytes, start, end, line);
      const isParsed = format?.parse(bytes, start, end, line) ?? false;
      const isBefore = isParsed && this.#isBefore(line) && hasBreak;
      position = isBefore ? lineEnd + 1 : lineStart;
      return !isBefore && (foundAt === undefined || foundAt - lineStart < this.#maxBytes);
    });
    return position === 0 ? { position } : { position, format };
  }

  /** Searches a compressed file, which can only be read from its beginning. */
  async searchForward(path: string, chunks: AsyncIterable<Buffer>): Promise<void> {
    const last = new LastLines(this.left, this.#filter);
    const splitter = new LineSplitter(last, this.#maxBytes, () => {}, this.#format);
    splitter.startFile(path);
    try {
      for await (const chunk of chunks) splitter.addCopy(chunk);
    } finally {
      splitter.endFile();
      this.left -= last.count;
      for (const stream of [0, 1] as const) this.skip[stream] = last.before(stream);
    }
  }

  /** Processes the next line towards the beginning. Returns true if this line is before all lines to be read. */
  #isBefore(line: Line): boolean {
    if (!this.#filter.hasStream(line.stream)) return false;
    const isLast = !line.partial || !this.#seen[line.stream];
    this.#seen[line.stream] = true;
    if (!isLast) return false;
    if (this.left > 0) {
      if (!this.#filter.counts(line)) return false;
      this.left--;
      this.#seeksBeginning[line.stream] = true;
      return false;
    }
    this.#seeksBeginning[line.stream] = false;
    if (!this.#seeksBeginning.includes(true)) return true;
    if (this.#filter.counts(line)) this.skip[line.stream]++;
    return false;
  }
}

/** Counts the lines of a file from its beginning, and remembers the streams of the last lines. */
class LastLines implements LineSink {
  readonly #wanted: number;
  readonly #filter: LineFilter;
  readonly #streams: (0 | 1)[] = [];
  readonly #ended: [number, number] = [0, 0];

  constructor(wanted: number, filter: LineFilter) {
    this.#wanted = wanted;
    this.#filter = filter;
  }

  /** The number of lines that were found, at most the requested number. */
  get count(): number {
    return this.#streams.length;
  }

  line(line: Line, atEnd: boolean): void {
    if (!atEnd || line.partial || !this.#filter.counts(line)) return;
    // The array is a ring: once it is full, each line replaces the oldest.
    this.#streams[(this.#ended[0] + this.#ended[1]) % this.#wanted] = line.stream;
    this.#ended[line.stream]++;
  }

  /** Returns how many lines of the stream ended before the last lines. */
  before(stream: 0 | 1): number {
    return this.#ended[stream] - this.#streams.filter((other) => other === stream).length;
  }
}
