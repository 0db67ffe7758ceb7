import { follow } from "./follow.js";
import { Liveness } from "./liveness.js";
import { type Entries, LogDecoder } from "./log-decoder.js";
import { LogReader } from "./log-reader.js";
import { openLog, waitForFile } from "./open-log.js";
import type { ReadSettings } from "./read-options.js";
import { writtenBefore } from "./rotation.js";
import { startOf } from "./start.js";

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
    const liveness = new Liveness(settings, this.#signal);
    const file = settings.waitForFile ? await waitForFile(this.#path, liveness) : await openLog(this.#path);
    if (!file) return;
    try {
      if (settings.tailLines === 0 && !settings.follow) return;
      const reader = new LogReader(this.#decoder, this.#signal);
      const older = settings.rotated ? await writtenBefore(file) : [];
      const { rotated, current } = await startOf(file, older, settings, this.#decoder.selection, this.#signal);
      for (const start of rotated) yield* reader.rotated(start);
      reader.start(file, current);
      yield* settings.follow ? follow(this.#path, file, reader, liveness, this.#signal) : reader.toEnd(file);
      yield reader.end();
    } finally {
      await file.close();
    }
  }
}
