/**
 * Reading logs, in one vocabulary:
 *
 * | term | meaning |
 * |---|---|
 * | log | the whole output of a container, under one path: the current file and the rotated files |
 * | current file | the file that has the name of the log; runtimes append to it |
 * | rotated file | an older file of the log, renamed and perhaps compressed; see `RotatedFiles` |
 * | rotation | the current file becomes a rotated file, and a new one gets the name of the log |
 * | fingerprint | identifies a file whatever its name; see `fingerprintOf` |
 * | position | where an entry ends: fingerprint and offset; see `LogPosition` |
 * | line | output of the process up to a line break. A runtime may write it as several physical lines |
 * | entry | the item of the stream that users read: a line, or a part of one |
 *
 * `readLogFile` returns a `LogStream` of entries. A `LogReader` reads the log, a `LogFileReader` its files one by one into a
 * `LogDecoder`, which turns bytes into entries. The kubelet rotates logs, and so does `resources/logs/rotate-log.ts`.
 *
 * @module
 */

import { readFingerprint } from "./fingerprint.js";
import { follow } from "./follow.js";
import { Liveness } from "./liveness.js";
import { type Entries, LogDecoder } from "./log-decoder.js";
import type { LogFile } from "./log-file.js";
import { LogFileReader } from "./log-file-reader.js";
import { type LogStart, startAfter, startAtTail } from "./log-start.js";
import { openCurrentFile, waitForCurrentFile } from "./open-current-file.js";
import type { ReadSettings } from "./read-settings.js";
import { type RotatedFile, RotatedFiles } from "./rotated-files.js";
import { RotationTracker } from "./rotation-tracker.js";

/** Reads a log once, from its first file to its last. */
export class LogReader {
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

  /** The number of lines that were skipped so far because they could not be read. */
  get skippedLines(): number {
    return this.#decoder.skippedLines;
  }

  async *entries(): AsyncGenerator<Entries> {
    const settings = this.#settings;
    const signal = this.#signal;
    const liveness = new Liveness(settings, signal);
    const file = settings.waitForFile
      ? await waitForCurrentFile(this.#path, liveness, settings, signal)
      : await openCurrentFile(this.#path, settings, signal);
    if (!file) return;
    try {
      if (settings.tailLines === 0 && !settings.follow) return;
      const files = new RotatedFiles(file.path, settings, signal);
      const reader = new LogFileReader(this.#decoder, files, settings, signal);
      const rotations = new RotationTracker(files);
      const fingerprint = await readFingerprint(file);
      const needsOlder = settings.follow || settings.rotated || settings.after;
      const older = needsOlder ? await rotations.takeOlder(fingerprint) : [];
      const start = await this.#findStart(file, fingerprint, older, files);
      for (const [index, rotated] of start.rotated.entries()) {
        yield* reader.readRotated(rotated, index === start.rotated.length - 1);
      }
      reader.start(file, start.current);
      yield* settings.follow ? follow(file, { path: this.#path, reader, rotations, liveness }) : reader.readToEnd(file);
      yield reader.end();
    } finally {
      await file.close();
    }
  }

  async #findStart(
    file: LogFile,
    fingerprint: string | undefined,
    older: readonly RotatedFile[],
    files: RotatedFiles,
  ): Promise<LogStart> {
    const settings = this.#settings;
    if (!settings.after) {
      const requested = settings.rotated ? older : [];
      return startAtTail(file, requested, files, settings, this.#decoder.filter, this.#signal);
    }
    const current = { path: file.path, fingerprint, size: await file.size() };
    const start = startAfter(settings.after, older, current, settings.onGap);
    if (start.after) this.#decoder.startAfter(start.after);
    return start;
  }
}
