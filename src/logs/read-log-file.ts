import { checkOptions } from "../input/call-options.js";
import type { LogBytesEntry, LogEntry } from "./entry.js";
import type { LogReader } from "./log-reader.js";
import { LogStream } from "./log-stream.js";
import { type ReadLogOptions, readLogFields } from "./read-options.js";
import { checkReadOptions } from "./read-settings.js";

/**
 * Reads a container's log file. Detects for each file whether it has CRI's format or Docker's JSON.
 *
 * ```ts
 * const log = readLogFile("server.log", { follow: true, tailLines: 10, signal });
 * for await (const { stream, text } of log) console.log(stream, text);
 * ```
 *
 * Opens the file when iteration begins. The loop throws a `CriError`: `NOT_FOUND` if the file does not exist,
 * `PERMISSION_DENIED`, `FAILED_PRECONDITION` if it is not a regular file (but a named pipe, a device, a socket or a directory),
 * `INVALID_RESPONSE` if it has lines and all of them are malformed. Otherwise, malformed lines are skipped, counted in
 * `skippedLines` and reported to `onGap`.
 *
 * @param path the path on this machine, which must be the node of the runtime. Symbolic links are followed when the file is
 *   opened, and again after a rotation
 * @throws InvalidInputError for invalid options
 */
export function readLogFile(path: string, options?: ReadLogOptions & { encoding?: "utf8" | undefined }): LogStream;
export function readLogFile(path: string, options: ReadLogOptions & { encoding: "buffer" }): LogStream<LogBytesEntry>;
export function readLogFile(path: string, options?: ReadLogOptions): LogStream<LogEntry> | LogStream<LogBytesEntry>;
export function readLogFile(path: string, options: ReadLogOptions = {}) {
  checkOptions(options, readLogFields);
  const settings = checkReadOptions(options);
  let reader: LogReader | undefined;
  async function* open(signal: AbortSignal) {
    // Loaded on first use, because most programs read no logs.
    const log = await import("./log-reader.js");
    reader = new log.LogReader(path, settings, signal);
    yield* reader.entries();
  }
  return new LogStream<LogEntry | LogBytesEntry>(open, () => reader?.skippedLines ?? 0, options.signal);
}
