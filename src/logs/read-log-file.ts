import type { LogBytesEntry, LogEntry } from "./entry.js";
import type { LogReader } from "./log-reader.js";
import { LogStream } from "./log-stream.js";
import { checkReadOptions, type ReadLogOptions } from "./read-options.js";

/**
 * Reads a container's log file. The format, CRI's or Docker's JSON, is detected for each file.
 *
 * ```ts
 * for await (const { stream, text } of readLogFile(path, { follow: true, tailLines: 10 })) console.log(stream, text);
 * ```
 *
 * Nothing is opened before the first entry is asked for. The loop then throws a `CriError`: `NOT_FOUND` when there is no
 * such file, `PERMISSION_DENIED`, `FAILED_PRECONDITION` for anything but a regular file (a named pipe, a device, a socket, a
 * directory), `INVALID_RESPONSE` when there are lines and all of them are malformed. Malformed lines among others are skipped,
 * counted in `skippedLines` and reported to `onGap`.
 *
 * @param path on this machine, which has to be the node of the runtime; symbolic links are followed, after a rotation once more
 * @throws InvalidInputError for options that make no sense
 */
export function readLogFile(path: string, options?: ReadLogOptions & { encoding?: "utf8" | undefined }): LogStream;
export function readLogFile(path: string, options: ReadLogOptions & { encoding: "buffer" }): LogStream<LogBytesEntry>;
export function readLogFile(path: string, options?: ReadLogOptions): LogStream<LogEntry> | LogStream<LogBytesEntry>;
export function readLogFile(path: string, options: ReadLogOptions = {}) {
  const settings = checkReadOptions(options);
  let reader: LogReader | undefined;
  async function* open(signal: AbortSignal) {
    // Loaded when first used: most programs read no logs.
    const log = await import("./log-reader.js");
    reader = new log.LogReader(path, settings, signal);
    yield* reader.entries();
  }
  return new LogStream<LogEntry | LogBytesEntry>(open, () => reader?.skippedLines ?? 0, options.signal);
}
