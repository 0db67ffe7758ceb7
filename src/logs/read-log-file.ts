import type { LogBytesEntry, LogEntry } from "./entry.js";
import { follow } from "./follow.js";
import { Liveness } from "./liveness.js";
import { type Entries, LogDecoder } from "./log-decoder.js";
import { LogReader } from "./log-reader.js";
import { LogStream } from "./log-stream.js";
import { openLog, waitForFile } from "./open-log.js";
import { checkReadOptions, type ReadLogOptions, type ReadSettings } from "./read-options.js";
import { writtenBefore } from "./rotation.js";
import { startOf } from "./start.js";

/**
 * Reads a container's log file. The format, CRI's or Docker's JSON, is told by the first line of each file.
 *
 * ```ts
 * for await (const { stream, text } of readLogFile(path, { follow: true, tailLines: 10 })) console.log(stream, text);
 * ```
 *
 * Nothing is opened before the first entry is asked for. The loop then throws a `CriError`: `NOT_FOUND` when there is no
 * such file, `PERMISSION_DENIED`, `INVALID_RESPONSE` when the first line of a file is of neither format; later lines that
 * cannot be read are left out and counted in `skippedLines`.
 *
 * @param path on this machine, which has to be the node of the runtime; symbolic links are followed, after a rotation once more
 * @throws InvalidInputError for options that make no sense
 */
export function readLogFile(path: string, options?: ReadLogOptions & { encoding?: "utf8" | undefined }): LogStream;
export function readLogFile(path: string, options: ReadLogOptions & { encoding: "buffer" }): LogStream<LogBytesEntry>;
export function readLogFile(path: string, options?: ReadLogOptions): LogStream<LogEntry> | LogStream<LogBytesEntry>;
export function readLogFile(path: string, options: ReadLogOptions = {}) {
  const settings = checkReadOptions(options);
  const decoder = new LogDecoder(settings);
  return new LogStream<LogEntry | LogBytesEntry>(
    (signal) => entriesOf(path, settings, decoder, signal),
    () => decoder.skippedLines,
    options.signal,
  );
}

async function* entriesOf(
  path: string,
  settings: ReadSettings,
  decoder: LogDecoder,
  signal: AbortSignal,
): AsyncGenerator<Entries> {
  const liveness = new Liveness(settings, signal);
  const file = settings.waitForFile ? await waitForFile(path, liveness) : await openLog(path);
  if (!file) return;
  try {
    if (settings.tailLines === 0 && !settings.follow) return;
    const reader = new LogReader(decoder, signal);
    const older = settings.rotated ? await writtenBefore(file) : [];
    const { rotated, current } = await startOf(file, older, settings, decoder.selection, signal);
    for (const start of rotated) yield* reader.rotated(start);
    reader.start(file, current);
    yield* settings.follow ? follow(path, file, reader, liveness, signal) : reader.toEnd(file);
    yield reader.end();
  } finally {
    await file.close();
  }
}
