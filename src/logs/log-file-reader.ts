import { CriError } from "../errors.js";
import { sleep } from "../internal/timer.js";
import { unzip } from "./compressed.js";
import type { FileStart, RotatedStart } from "./file-start.js";
import { headBytes, readFingerprint } from "./fingerprint.js";
import type { Entries, LogDecoder } from "./log-decoder.js";
import type { LogFile } from "./log-file.js";
import type { ReadSettings } from "./read-settings.js";
import type { OpenRotatedFile, RotatedFile, RotatedFiles } from "./rotated-files.js";

/**
 * How long a rotated file must stay unchanged to count as complete, in milliseconds. A runtime creates the new file before it has
 * written everything to the old one.
 */
const handOverMs = 200;

/** The maximum number of waits for a hand-over. A writer that is still active after these waits has not reopened its log. */
const maxHandOvers = 25;

/** Reads the files of a log, one after the other, into a decoder. */
export class LogFileReader {
  readonly #decoder: LogDecoder;
  readonly #files: RotatedFiles;
  readonly #settings: ReadSettings;
  readonly #signal: AbortSignal;
  #fingerprint: string | undefined;
  #startedAt = 0;

  constructor(decoder: LogDecoder, files: RotatedFiles, settings: ReadSettings, signal: AbortSignal) {
    this.#decoder = decoder;
    this.#files = files;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Whether everything that was requested has been emitted. */
  get finished(): boolean {
    return this.#decoder.finished;
  }

  /** The fingerprint of the current file, once it is known. */
  get fingerprint(): string | undefined {
    return this.#fingerprint;
  }

  /** Starts to read an open file. */
  start(file: LogFile, { position, format }: FileStart = { position: 0 }): void {
    file.position = this.#startedAt = position;
    this.#decoder.startFile(file.path, position, format);
    this.#fingerprint = undefined;
  }

  /**
   * Reads from the current position to the end of the file. May be called again when the file has grown.
   *
   * @param isLocal whether the file is on a local file system: then a short read has reached the end
   * @param isFresh whether the next bytes were written just now
   */
  async *readToEnd(file: LogFile, isLocal = false, isFresh = false): AsyncGenerator<Entries> {
    let isAtEnd = false;
    for (let reads = 0; !this.finished && !isAtEnd; reads++) {
      this.#signal.throwIfAborted();
      const space = this.#decoder.space();
      // The first read is a small one.
      const count = isFresh && reads < 2 ? file.readNow(space) : await file.read(space);
      isAtEnd = isLocal && count < space.length;
      if (count === 0) {
        this.#decoder.pause();
        return;
      }
      if (this.#fingerprint === undefined) await this.#identify(file);
      const entries = this.#decoder.added(count);
      if (isAtEnd) this.#decoder.pause();
      yield entries;
    }
  }

  /**
   * Reads the last lines that a runtime still writes to a file that was rotated and read to its end. The file's modification time
   * cannot be used: the clock may have been changed since then, or may be that of another machine.
   */
  async *readLateLines(file: LogFile): AsyncGenerator<Entries> {
    for (let round = 0; round < maxHandOvers && !this.finished; round++) {
      const { position } = file;
      await sleep(handOverMs, this.#signal);
      yield* this.readToEnd(file);
      if (file.position === position) return;
    }
  }

  /** Decodes the bytes after the last line break of a file. Must be called when nothing more will be read from the file. */
  endFile(): Entries {
    return this.#decoder.endFile();
  }

  /** Emits the unfinished lines. Must be called when there are no more files. */
  end(): Entries {
    return this.#decoder.end();
  }

  /** Opens a rotated file to which the runtime may still write. If the file is already compressed, reads all of it instead. */
  async *openLatest(rotated: RotatedFile): AsyncGenerator<Entries, LogFile | undefined> {
    const opened = await this.#files.open(rotated);
    if (opened && !opened.isCompressed) return opened.file;
    await opened?.file.close();
    yield* this.readRotated({ ...rotated, position: 0 });
    return undefined;
  }

  /**
   * Reads a rotated file, even if it is already compressed. If a part of it cannot be read, reports a gap and returns.
   *
   * @param mayGrow whether the runtime may still be writing the last lines to it
   */
  async *readRotated(start: RotatedStart, mayGrow = false): AsyncGenerator<Entries> {
    const { path, position, format, fingerprint } = start;
    this.#decoder.startFile(path, position, format);
    this.#setFingerprint(fingerprint);
    const opened = await this.#files.open(start);
    if (!opened) {
      this.#settings.onGap({ reason: "lost", path, offset: position });
      return;
    }
    try {
      yield* this.#readOpened(opened, position, mayGrow);
    } catch (error) {
      if (this.#signal.aborted || !CriError.is(error)) throw error;
      this.#settings.onGap({ reason: "unreadable", path, offset: this.#decoder.offset, error });
    } finally {
      await opened.file.close();
    }
    yield this.endFile();
  }

  async *#readOpened(
    { file, isCompressed }: OpenRotatedFile,
    position: number,
    mayGrow: boolean,
  ): AsyncGenerator<Entries> {
    if (!isCompressed) {
      file.position = position;
      yield* this.readToEnd(file);
      if (mayGrow) yield* this.readLateLines(file);
      return;
    }
    let toSkip = position;
    for await (const chunk of unzip(file, this.#signal)) {
      yield this.#decoder.add(chunk.subarray(toSkip));
      toSkip = Math.max(0, toSkip - chunk.length);
      if (this.finished) return;
    }
  }

  /**
   * Reads the fingerprint of a file before its first entry is decoded. Files that begin with too many unrecognized lines have
   * none.
   */
  async #identify(file: LogFile): Promise<void> {
    // Files of plain lines have no fingerprint.
    if (this.#settings.format) return;
    const { offset } = await file.head(1);
    if (file.position > Math.max(this.#startedAt, offset) + 3 * headBytes) return;
    const fingerprint = await readFingerprint(file);
    if (fingerprint !== undefined) this.#setFingerprint(fingerprint);
  }

  #setFingerprint(fingerprint: string): void {
    this.#fingerprint = fingerprint;
    this.#decoder.setFingerprint(fingerprint);
  }
}
