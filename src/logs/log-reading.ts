import { follow } from "./follow.js";
import { Liveness } from "./liveness.js";
import { type Entries, LogDecoder } from "./log-decoder.js";
import type { LogFile } from "./log-file.js";
import { LogReader } from "./log-reader.js";
import { openLog, waitForFile } from "./open-log.js";
import type { ReadSettings } from "./read-options.js";
import { markOf, type RotatedFile, RotatedFiles } from "./rotated.js";
import { type LogStart, startBehind, startOf } from "./start.js";
import { Succession } from "./succession.js";

/** Reads a log once, from its first file to its last. */
export class LogReading {
  readonly #path: string;
  readonly #settings: ReadSettings;
  readonly #signal: AbortSignal;
  readonly #decoder: LogDecoder;

  constructor(path: string, settings: ReadSettings, signal: AbortSignal) {
    this.#path = path;
    this.#settings = settings;
    this.#signal = signal;
    this.#decoder = new LogDecoder(settings);
  }

  /** How many lines could not be read so far. */
  get skippedLines(): number {
    return this.#decoder.skippedLines;
  }

  async *entries(): AsyncGenerator<Entries> {
    const settings = this.#settings;
    const signal = this.#signal;
    const liveness = new Liveness(settings, signal);
    const file = settings.waitForFile
      ? await waitForFile(this.#path, liveness, settings, signal)
      : await openLog(this.#path, settings, signal);
    if (!file) return;
    try {
      if (settings.tailLines === 0 && !settings.follow) return;
      const files = new RotatedFiles(file.path, settings, signal);
      const reader = new LogReader(this.#decoder, files, settings, signal);
      const succession = new Succession(files);
      const mark = await markOf(file);
      const older = settings.follow || settings.rotated || settings.after ? await succession.older(mark) : [];
      const start = await this.#start(file, mark, older, files);
      for (const [index, rotated] of start.rotated.entries()) {
        yield* reader.rotated(rotated, index === start.rotated.length - 1);
      }
      reader.start(file, start.current);
      yield* settings.follow ? follow(file, { path: this.#path, reader, succession, liveness }) : reader.toEnd(file);
      yield reader.end();
    } finally {
      await file.close();
    }
  }

  async #start(
    file: LogFile,
    mark: string | undefined,
    older: readonly RotatedFile[],
    files: RotatedFiles,
  ): Promise<LogStart> {
    const settings = this.#settings;
    if (!settings.after) {
      const wanted = settings.rotated ? older : [];
      return startOf(file, wanted, files, settings, this.#decoder.selection, this.#signal);
    }
    const current = { path: file.path, mark, size: await file.size() };
    const start = startBehind(settings.after, older, current, settings.onGap);
    if (start.after) this.#decoder.startAfter(start.after);
    return start;
  }
}
