import { InvalidInputError } from "../errors.js";
import { checkSignal } from "../input/call-options.js";
import type { LogStreamName } from "./entry.js";
import type { LogEncoding } from "./entry-batch.js";
import type { LogFormat } from "./line.js";
import type { LogGap, ReportGap } from "./log-gap.js";
import { type LogPosition, parsePosition } from "./log-position.js";
import { rawFormat } from "./raw-format.js";
import { type Instant, instantOfDate, parseInstant } from "./timestamp.js";

/** Which part of a log to read, and how. */
export interface LogOptions {
  /**
   * Continues at the end of the log, through rotations, until the container has ended and everything that it wrote was read.
   *
   * When files are renamed, nothing is lost as long as each rotated file still exists when the reader reaches it, under one of the
   * names that {@link rotated} lists. When a file is truncated in place (`copytruncate`), lines that were written between the last
   * read and the truncation are lost to every follower.
   *
   * @defaultValue false
   */
  follow?: boolean | undefined;
  /** Omits lines before this time. A string is RFC 3339 and is compared to the nanosecond. */
  since?: Date | string | undefined;
  /** Omits lines after this time; following ends soon after it has passed. */
  until?: Date | string | undefined;
  /**
   * Starts this number of lines before the end. It counts whole lines, however many parts they were written in, of the requested
   * streams and not later than {@link until}; {@link since} omits some of them. 0 reads no old lines, to follow only new ones.
   *
   * @defaultValue all
   */
  tailLines?: number | undefined;
  /**
   * Ends after this number of bytes of content, without timestamps and line breaks. If the last entry is cut off, it is partial.
   */
  limitBytes?: number | undefined;
  /** Which streams to read. @defaultValue both */
  streams?: readonly LogStreamName[] | undefined;
  /**
   * What to do with long lines, which runtimes write in parts of, for example, 16 KiB. `"join"` joins the parts; `"separate"` emits
   * each part as an entry that is marked as partial. @defaultValue "join"
   */
  partial?: "join" | "separate" | undefined;
  /**
   * The maximum content of an entry in bytes, at least 4. A longer line is split into entries of which all but the last are marked as
   * partial. Limits the memory for a line. @defaultValue 1048576
   */
  maxLineBytes?: number | undefined;
  /**
   * Also reads the rotated files, oldest first, including compressed ones. Their names are that of the log with a suffix, such as the
   * kubelet's `0.log.20261128-100000.gz`, Docker's `x-json.log.1` and logrotate's `0.log-20261128`, or with a date before the extension,
   * as in `0-20261128.log`. The runtime may still be writing to the latest of them: unless it is compressed, the reader waits until
   * it has not grown for 200 ms. @defaultValue false
   */
  rotated?: boolean | undefined;
  /**
   * Starts exactly behind the entry with this `position`, even if rotations have renamed its file. If that file was removed, `onGap`
   * is called with `lost`, and reading starts with the oldest file that is newer. Not together with `tailLines`.
   */
  after?: string | undefined;
  /**
   * The format of the log. `"detect"` reads CRI's format and Docker's JSON. `"raw"` reads plain lines: `timestamp` is empty, and every
   * line counts as standard output. Files of plain lines cannot be identified, so `since`, `until`, `rotated` and `after` cannot be
   * used, and following continues in the file that has the name of the log. @defaultValue "detect"
   */
  format?: "detect" | "raw" | undefined;
  /** Called for everything that is omitted: malformed lines, holes, unreadable files. See {@link LogGap}. */
  onGap?: ((gap: LogGap) => void) | undefined;
  /** Whether entries have `text` (`"utf8"`) or `bytes` (`"buffer"`). @defaultValue "utf8" */
  encoding?: LogEncoding | undefined;
  /** Aborts reading at once: the loop then throws `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** {@link LogOptions} with the options of reading a file. */
export interface ReadLogOptions extends LogOptions {
  /** Waits for a file that does not exist yet instead of failing. @defaultValue false */
  waitForFile?: boolean | undefined;
  /**
   * Returns whether a process still writes to the log. Called only when there is nothing to read, and at most once a second. Reading
   * continues while its promise is pending. Once it returns false, the rest is read and the stream ends. If it fails, the stream
   * fails with the same error. @defaultValue always true
   */
  isRunning?: ((signal: AbortSignal) => boolean | Promise<boolean>) | undefined;
  /**
   * Aborts when no process writes to the log any more: following then reads the rest and ends at once. For callers that are notified
   * of the writer's end, whereas {@link isRunning} is polled.
   */
  writerEnded?: AbortSignal | undefined;
  /**
   * How often to poll for new lines, in milliseconds, at least 1. Only relevant where the file system reports no events; elsewhere,
   * changes are noticed at once. @defaultValue 1000
   */
  pollIntervalMs?: number | undefined;
  /** @internal How long to wait for a file that does not exist yet, in milliseconds, if its folder exists. */
  appearsWithinMs?: number | undefined;
  /** @internal Called whenever everything so far was read, before waiting for more. Only with `follow`. */
  onWait?: (() => void) | undefined;
}

/** {@link ReadLogOptions}, checked and with defaults. */
export interface ReadSettings {
  readonly follow: boolean;
  readonly since: Instant | undefined;
  readonly until: Instant | undefined;
  readonly tailLines: number;
  readonly limitBytes: number;
  readonly streams: readonly [boolean, boolean];
  readonly joins: boolean;
  readonly maxLineBytes: number;
  readonly rotated: boolean;
  readonly after: LogPosition | undefined;
  /** The format of every file; undefined to detect it. */
  readonly format: LogFormat | undefined;
  readonly onGap: ReportGap;
  readonly encoding: LogEncoding;
  readonly waitForFile: boolean;
  readonly appearsWithinMs: number;
  readonly isRunning: (signal: AbortSignal) => boolean | Promise<boolean>;
  readonly writerEnded: AbortSignal | undefined;
  readonly pollIntervalMs: number;
  readonly onWait: () => void;
}

/** Checks options and fills in the defaults. @throws InvalidInputError */
export function checkReadOptions(options: ReadLogOptions): ReadSettings {
  const { streams = ["stdout", "stderr"] } = options;
  checkSignal(options.signal, "signal");
  checkSignal(options.writerEnded, "writerEnded");
  if (
    !Array.isArray(streams) ||
    streams.length === 0 ||
    !streams.every((name) => ["stdout", "stderr"].includes(name))
  ) {
    throw new InvalidInputError({ field: "streams", message: 'must list "stdout", "stderr" or both', value: streams });
  }
  return {
    follow: options.follow ?? false,
    since: instant("since", options.since),
    until: instant("until", options.until),
    tailLines: count("tailLines", options.tailLines, 0, Number.POSITIVE_INFINITY),
    limitBytes: count("limitBytes", options.limitBytes, 0, Number.POSITIVE_INFINITY),
    streams: [streams.includes("stdout"), streams.includes("stderr")],
    joins: oneOf("partial", options.partial, ["join", "separate"]) === "join",
    maxLineBytes: count("maxLineBytes", options.maxLineBytes, 4, 1024 * 1024),
    rotated: options.rotated ?? false,
    after: checkAfter(options),
    format: checkFormat(options),
    onGap: callback("onGap", options.onGap) ?? (() => {}),
    encoding: oneOf("encoding", options.encoding, ["utf8", "buffer"]),
    waitForFile: options.waitForFile ?? false,
    appearsWithinMs: options.appearsWithinMs ?? 0,
    isRunning: callback("isRunning", options.isRunning) ?? (() => true),
    writerEnded: options.writerEnded,
    pollIntervalMs: count("pollIntervalMs", options.pollIntervalMs, 1, 1_000),
    onWait: (options.follow && options.onWait) || (() => {}),
  };
}

function checkAfter({ after, tailLines }: ReadLogOptions): LogPosition | undefined {
  if (after === undefined) return undefined;
  if (tailLines === undefined) return parsePosition("after", after);
  throw new InvalidInputError({ field: "tailLines", message: "cannot be combined with after", value: tailLines });
}

function checkFormat(options: ReadLogOptions): LogFormat | undefined {
  if (oneOf("format", options.format, ["detect", "raw"]) === "detect") return undefined;
  for (const field of ["since", "until", "rotated", "after"] as const) {
    const value = options[field];
    if (value === undefined || value === false) continue;
    throw new InvalidInputError({
      field,
      message: 'cannot be combined with format "raw": plain lines have no time',
      value,
    });
  }
  return rawFormat;
}

function callback<T>(field: string, value: T | undefined): T | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw new InvalidInputError({ field, message: "must be a function", value });
}

function count(field: string, value: number | undefined, min: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new InvalidInputError({ field, message: `must be a whole number, at least ${min}`, value });
}

/** One of several strings; the first one if not set. */
function oneOf<const T extends string>(field: string, value: T | undefined, choices: readonly [T, ...T[]]): T {
  const given = value ?? choices[0];
  if (choices.includes(given)) return given;
  throw new InvalidInputError({
    field,
    message: `must be ${choices.map((choice) => `"${choice}"`).join(" or ")}`,
    value,
  });
}

function instant(field: string, value: Date | string | undefined): Instant | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return instantOfDate(value);
  const parsed = typeof value === "string" ? parseInstant(value) : undefined;
  if (parsed) return parsed;
  const message = "must be a valid Date or an RFC 3339 string, such as 2026-11-23T05:55:00.123456789Z";
  throw new InvalidInputError({ field, message, value });
}
