import type { LogBytesEntry, LogEntry } from "./entry.js";
import { EntryBatch } from "./entry-batch.js";
import type { LogFormat } from "./line.js";
import { LineAssembler } from "./line-assembler.js";
import { LineSplitter } from "./line-splitter.js";
import type { ReadSettings } from "./read-options.js";
import { LogSelection } from "./selection.js";

/** What was made of the bytes so far. */
export type Entries = readonly (LogEntry | LogBytesEntry)[];

/** The bytes of one log, file by file, become the entries that were asked for. */
export class LogDecoder {
  readonly selection: LogSelection;
  readonly #splitter: LineSplitter;
  readonly #assembler: LineAssembler;
  readonly #entries: EntryBatch;

  constructor(settings: ReadSettings) {
    const { streams, since, until, encoding, limitBytes, joins, maxLineBytes } = settings;
    this.selection = new LogSelection(streams, since, until);
    this.#entries = new EntryBatch(encoding, limitBytes);
    this.#assembler = new LineAssembler(this.selection, this.#entries, joins, maxLineBytes);
    this.#splitter = new LineSplitter(this.#assembler, maxLineBytes);
  }

  /** Lines that could not be read. */
  get skippedLines(): number {
    return this.#splitter.skippedLines;
  }

  /** Whether as much as was asked for has been given out. */
  get finished(): boolean {
    return this.#entries.finished;
  }

  /** See {@link LineSplitter.startFile}. */
  startFile(path: string, format?: LogFormat | undefined): void {
    this.#splitter.startFile(path, format);
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

  /** The log ends here: what is left has no end. */
  end(): Entries {
    this.#splitter.endFile();
    this.#assembler.flush();
    return this.#entries.take();
  }
}
