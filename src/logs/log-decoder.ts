import type { LogBytesEntry, LogEntry } from "./entry.js";
import { EntryBatch } from "./entry-batch.js";
import type { LogFormat } from "./line.js";
import { LineAssembler } from "./line-assembler.js";
import { LineFilter } from "./line-filter.js";
import { LineSplitter } from "./line-splitter.js";
import { unknownFormat } from "./log-failure.js";
import type { LogPosition } from "./log-position.js";
import type { ReadSettings } from "./read-options.js";

/** What was made of the bytes so far. */
export type Entries = readonly (LogEntry | LogBytesEntry)[];

/** The bytes of one log, file by file, become the entries that were asked for. */
export class LogDecoder {
  readonly filter: LineFilter;
  readonly #splitter: LineSplitter;
  readonly #assembler: LineAssembler;
  readonly #entries: EntryBatch;
  #path = "";
  #startOffset = 0;

  constructor(settings: ReadSettings) {
    const { streams, since, until, encoding, limitBytes, joins, maxLineBytes, format, onGap } = settings;
    this.filter = new LineFilter(streams, since, until);
    this.#entries = new EntryBatch(encoding, limitBytes);
    this.#assembler = new LineAssembler(this.filter, this.#entries, joins, maxLineBytes);
    this.#splitter = new LineSplitter(this.#assembler, maxLineBytes, onGap, format);
  }

  /** Lines that could not be read. */
  get skippedLines(): number {
    return this.#splitter.skippedLines;
  }

  /** Up to where the current file was read, in bytes. */
  get offset(): number {
    return this.#splitter.offset;
  }

  /** Whether as much as was asked for has been given out. */
  get finished(): boolean {
    return this.#entries.finished;
  }

  /** See {@link EntryBatch.startAfter}. */
  startAfter(position: LogPosition): void {
    this.#entries.startAfter(position);
  }

  /** See {@link LineSplitter.startFile}. */
  startFile(path: string, offset = 0, format?: LogFormat | undefined): void {
    this.#path = path;
    this.#splitter.startFile(path, offset, format);
    this.#assembler.startFile();
    this.#entries.startFile(undefined, offset);
    this.#startOffset = offset;
  }

  /** The fingerprint of the current file, once it is known: before the first entry of the file is decoded. */
  setFingerprint(fingerprint: string): void {
    this.#entries.startFile(fingerprint, this.#startOffset);
  }

  /** Where to put what is read next. */
  space(): Buffer {
    return this.#splitter.space();
  }

  /** The entries that end within that many more bytes in {@link space}. */
  added(count: number): Entries {
    this.#splitter.added(count);
    return this.#entries.take();
  }

  /** Bytes that were read elsewhere. */
  add(bytes: Buffer): Entries {
    this.#splitter.addCopy(bytes);
    return this.#entries.take();
  }

  /** The file ends here, be it in the middle of a line. */
  endFile(): Entries {
    this.#splitter.endFile();
    return this.#entries.take();
  }

  /** The log ends here: what is left has no end. @throws CriError `INVALID_RESPONSE` when every line was malformed */
  end(): Entries {
    this.#splitter.endFile();
    this.#assembler.flush();
    if (this.#splitter.hasMalformed && !this.#splitter.knowsFormat) throw unknownFormat(this.#path);
    return this.#entries.take();
  }
}
