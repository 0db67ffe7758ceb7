import { InvalidInputError } from "../errors.js";
import { isAbortSignal } from "../internal/abort.js";
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
   * Go on when the end is reached, through rotations, until the container no longer runs and all it wrote has been read.
   *
   * Nothing is lost when files are renamed, as long as a rotated file still exists when the reader gets to it, under one of the
   * names that {@link rotated} lists. When a file is truncated in place (`copytruncate`), what was written between the last read and the
   * truncation cannot be read by any follower.
   *
   * @defaultValue false
   */
  follow?: boolean | undefined;
  /** Leave out lines before this. A string is RFC 3339 and is compared to the nanosecond. */
  since?: Date | string | undefined;
  /** Leave out lines after this; following ends soon after it has passed. */
  until?: Date | string | undefined;
  /**
   * Begin that many lines before the end. Counted are whole lines, however many parts they were written in, of the streams
   * that were asked for, not later than {@link until}; {@link since} leaves out of them. 0 is none, for following only what is
   * new.
   *
   * @defaultValue all
   */
  tailLines?: number | undefined;
  /**
   * End after that many bytes of content. Timestamps and line breaks do not count. The last entry may be cut off: it is
   * partial then.
   */
  limitBytes?: number | undefined;
  /** Which streams to read. @defaultValue both */
  streams?: readonly LogStreamName[] | undefined;
  /**
   * Runtimes write long lines in parts, of 16 KiB and the like. `"join"` puts them together again, `"separate"` gives out each
   * for itself, marked as partial. @defaultValue "join"
   */
  partial?: "join" | "separate" | undefined;
  /**
   * The longest content of an entry in bytes, at least 4. A longer line comes in pieces that are marked as partial, all but
   * the last. Bounds the memory that a line takes. @defaultValue 1048576
   */
  maxLineBytes?: number | undefined;
  /**
   * Also read the rotated files, oldest first, compressed ones included: what has the name of the log and a suffix, such as the
   * kubelet's `0.log.20261128-100000.gz`, Docker's `x-json.log.1` and logrotate's `0.log-20261128`, or a date before the extension,
   * as in `0-20261128.log`. The runtime may still be writing to the latest of them: unless that is compressed, reading waits until
   * nothing more has come for 200 ms. @defaultValue false
   */
  rotated?: boolean | undefined;
  /**
   * Start exactly behind the entry with this `position`, in whichever file it is by now. If that file is gone, `onGap` gets `lost`
   * and reading starts with the oldest file that is newer. Not together with `tailLines`.
   */
  after?: string | undefined;
  /**
   * `"detect"` reads CRI's format and Docker's JSON. `"raw"` reads plain lines: `timestamp` is empty, every line counts as
   * standard output. As nothing identifies a file of such lines, `since`, `until`, `rotated` and `after` cannot be used, and a
   * follow reads on in the file that has the name of the log. @defaultValue "detect"
   */
  format?: "detect" | "raw" | undefined;
  /** Called for everything that is left out: malformed lines, holes, unreadable files. See {@link LogGap}. */
  onGap?: ((gap: LogGap) => void) | undefined;
  /** Give the content as `text` or as `bytes`. @defaultValue "utf8" */
  encoding?: LogEncoding | undefined;
  /** Ends the reading, at once: the loop then throws `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** {@link LogOptions}, and what reading a file needs besides. */
export interface ReadLogOptions extends LogOptions {
  /** Wait for a file that does not exist yet, rather than fail. @defaultValue false */
  waitForFile?: boolean | undefined;
  /**
   * Whether someone still writes to the log. Asked only when there is nothing to read, and at most once a second; what is
   * written while this takes its time is read meanwhile. After a "no" the rest is read and the stream ends; it fails as this
   * does. @defaultValue always true
   */
  isRunning?: ((signal: AbortSignal) => boolean | Promise<boolean>) | undefined;
  /**
   * Aborts when nobody writes to the log any more: a follow reads the rest and ends, at once. For those who are notified of the
   * writer's end, where {@link isRunning} is polled.
   */
  writerEnded?: AbortSignal | undefined;
  /**
   * How often to look for something new, in milliseconds, at least 1. Changes in the directory are noticed at once where the
   * system tells of them; this is for where it does not. @defaultValue 1000
   */
  pollIntervalMs?: number | undefined;
  /** @internal For how long a file that does not exist yet is waited for, in milliseconds, if its folder exists. */
  appearsWithinMs?: number | undefined;
  /** @internal Called whenever all that was there has been read, before waiting for more. Only with `follow`. */
  onWait?: (() => void) | undefined;
}

/** {@link ReadLogOptions}, checked and complete. */
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

/** @throws InvalidInputError */
export function checkReadOptions(options: ReadLogOptions): ReadSettings {
  const { streams = ["stdout", "stderr"] } = options;
  for (const field of ["signal", "writerEnded"] as const) {
    const value = options[field];
    if (value === undefined || isAbortSignal(value)) continue;
    throw new InvalidInputError({ field, message: "must be an AbortSignal", value });
  }
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

/** One of some words; the first one if not set. */
function oneOf<const T extends string>(field: string, value: T | undefined, words: readonly [T, ...T[]]): T {
  const given = value ?? words[0];
  if (words.includes(given)) return given;
  throw new InvalidInputError({ field, message: `must be ${words.map((word) => `"${word}"`).join(" or ")}`, value });
}

function instant(field: string, value: Date | string | undefined): Instant | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return instantOfDate(value);
  const parsed = typeof value === "string" ? parseInstant(value) : undefined;
  if (parsed) return parsed;
  const message = "must be a valid Date or RFC 3339 text, such as 2026-11-23T05:55:00.123456789Z";
  throw new InvalidInputError({ field, message, value });
}
