import type { LogBytesEntry, LogEntry } from "./entry.js";
import { EntryBatch } from "./entry-batch.js";
import type { LogFormat } from "./line.js";
import { LineAssembler } from "./line-assembler.js";
import { LineFilter } from "./line-filter.js";
import { LineSplitter } from "./line-splitter.js";
import { unknownFormat } from "./log-failure.js";
import type { LogPosition } from "./log-position.js";
import type { ReadSettings } from "./read-settings.js";

/** A batch of decoded entries. */
export type Entries = readonly (LogEntry | LogBytesEntry)[];

/** Decodes the bytes of a log, file by file, to the requested entries. */
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

  /** The number of lines that were skipped because they could not be read. */
  get skippedLines(): number {
    return this.#splitter.skippedLines;
  }

  /** How much of the current file was read, in bytes. */
  get offset(): number {
    return this.#splitter.offset;
  }

  /** Whether the requested number of bytes was emitted. */
  get finished(): boolean {
    return this.#entries.finished;
  }

  /** Resumes after a position; see {@link EntryBatch.startAfter}. */
  startAfter(position: LogPosition): void {
    this.#entries.startAfter(position);
  }

  /** Starts another file; see {@link LineSplitter.startFile}. */
  startFile(path: string, offset = 0, format?: LogFormat | undefined): void {
    this.#path = path;
    this.#splitter.startFile(path, offset, format);
    this.#assembler.startFile();
    this.#entries.startFile(undefined, offset);
    this.#startOffset = offset;
  }

  /** Sets the fingerprint of the current file. Must be called before the first entry of the file is decoded. */
  setFingerprint(fingerprint: string): void {
    this.#entries.startFile(fingerprint, this.#startOffset);
  }

  /** Returns the buffer to which the caller writes the next bytes of the file. */
  space(): Buffer {
    return this.#splitter.space();
  }

  /** Decodes bytes that the caller has written to {@link space}. */
  added(count: number): Entries {
    this.#splitter.added(count);
    return this.#entries.take();
  }

  /** Frees what is only needed while there is something to read. May be called whenever the end of the file is reached. */
  pause(): void {
    this.#splitter.pause();
  }

  /** Decodes bytes that are in another buffer than {@link space}. */
  add(bytes: Buffer): Entries {
    this.#splitter.addCopy(bytes);
    return this.#entries.take();
  }

  /** Ends the file, even in the middle of a line. */
  endFile(): Entries {
    this.#splitter.endFile();
    return this.#entries.take();
  }

  /** Ends the log. Unfinished lines become partial entries. @throws CriError `INVALID_RESPONSE` if every line was malformed */
  end(): Entries {
    this.#splitter.endFile();
    this.#assembler.flush();
    if (this.#splitter.hasMalformed && !this.#splitter.knowsFormat) throw unknownFormat(this.#path);
    return this.#entries.take();
  }
}
