import { CriError } from "../errors.js";
import { sleep } from "../internal/timer.js";
import { unzip } from "./compressed.js";
import type { LogFormat } from "./line.js";
import type { Entries, LogDecoder } from "./log-decoder.js";
import type { LogFile } from "./log-file.js";
import { headBytes } from "./mark.js";
import type { ReadSettings } from "./read-options.js";
import { markOf, type RotatedContent, type RotatedFile, type RotatedFiles } from "./rotated.js";
import type { RotatedStart } from "./start.js";

/**
 * How long nothing more may come in a rotated file until it counts as complete, in milliseconds: a runtime creates the new file
 * before it has written everything to the old one.
 */
const handOverMs = 200;

/** How often that is waited for. A writer that is still active then has not reopened its log. */
const maxHandOvers = 25;

/** Where in a file to begin, and its format if it is known. */
export interface FileStart {
  position: number;
  format?: LogFormat | undefined;
}

/** Reads files into a decoder. */
export class LogReader {
  readonly #decoder: LogDecoder;
  readonly #files: RotatedFiles;
  readonly #settings: ReadSettings;
  readonly #signal: AbortSignal;
  #mark: string | undefined;
  #startedAt = 0;

  constructor(decoder: LogDecoder, files: RotatedFiles, settings: ReadSettings, signal: AbortSignal) {
    this.#decoder = decoder;
    this.#files = files;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Whether all that was asked for has been given out. */
  get finished(): boolean {
    return this.#decoder.finished;
  }

  /** The mark of the current file, as far as it is known. */
  get mark(): string | undefined {
    return this.#mark;
  }

  /** Begins with an open file. */
  start(file: LogFile, { position, format }: FileStart = { position: 0 }): void {
    file.position = this.#startedAt = position;
    this.#decoder.startFile(file.path, position, format);
    this.#mark = undefined;
  }

  /** What there is from the current position to the end of the file; may be called again when there is more. */
  async *toEnd(file: LogFile): AsyncGenerator<Entries> {
    while (!this.finished) {
      this.#signal.throwIfAborted();
      const count = await file.read(this.#decoder.space());
      if (count === 0) return;
      if (this.#mark === undefined) await this.#identify(file);
      yield this.#decoder.added(count);
    }
  }

  /**
   * What is yet to come in a file that has been rotated away and was read to its end. The time of its last change says nothing:
   * the clock may have been set since then, or be another machine's.
   */
  async *lateLines(file: LogFile): AsyncGenerator<Entries> {
    for (let round = 0; round < maxHandOvers && !this.finished; round++) {
      const { position } = file;
      await sleep(handOverMs, this.#signal);
      yield* this.toEnd(file);
      if (file.position === position) return;
    }
  }

  /** What a file holds behind its last line break, once nothing more is to be read from it. */
  endFile(): Entries {
    return this.#decoder.endFile();
  }

  /** What is left of lines without an end, once there are no more files. */
  end(): Entries {
    return this.#decoder.end();
  }

  /** Opens a rotated file that may still be written to; one that has been compressed is read as a whole instead. */
  async *openLatest(rotated: RotatedFile): AsyncGenerator<Entries, LogFile | undefined> {
    const content = await this.#files.open(rotated);
    if (content && !content.isCompressed) return content.file;
    await content?.file.close();
    yield* this.rotated({ ...rotated, position: 0 });
    return undefined;
  }

  /**
   * A rotated file as a whole, be it compressed by now. What of it cannot be read is reported, and reading goes on behind it.
   *
   * @param mayGrow whether the runtime may still be writing the last lines to it
   */
  async *rotated(start: RotatedStart, mayGrow = false): AsyncGenerator<Entries> {
    const { path, position, format, mark } = start;
    this.#decoder.startFile(path, position, format);
    this.#setMark(mark);
    const content = await this.#files.open(start);
    if (!content) {
      this.#settings.onGap({ reason: "lost", path, offset: position });
      return;
    }
    try {
      yield* this.#content(content, position, mayGrow);
    } catch (error) {
      if (this.#signal.aborted || !CriError.is(error)) throw error;
      this.#settings.onGap({ reason: "unreadable", path, offset: this.#decoder.offset, error });
    } finally {
      await content.file.close();
    }
    yield this.endFile();
  }

  async *#content({ file, isCompressed }: RotatedContent, position: number, mayGrow: boolean): AsyncGenerator<Entries> {
    if (!isCompressed) {
      file.position = position;
      yield* this.toEnd(file);
      if (mayGrow) yield* this.lateLines(file);
      return;
    }
    let toSkip = position;
    for await (const chunk of unzip(file, this.#signal)) {
      yield this.#decoder.add(chunk.subarray(toSkip));
      toSkip = Math.max(0, toSkip - chunk.length);
      if (this.finished) return;
    }
  }

  /** Finds out the mark of a file before its first entry is decoded. A file that begins with much else has none. */
  async #identify(file: LogFile): Promise<void> {
    // Nothing identifies a file of plain lines.
    if (this.#settings.format) return;
    const { offset } = await file.head(1);
    if (file.position > Math.max(this.#startedAt, offset) + 3 * headBytes) return;
    const mark = await markOf(file);
    if (mark !== undefined) this.#setMark(mark);
  }

  #setMark(mark: string): void {
    this.#mark = mark;
    this.#decoder.setMark(mark);
  }
}
