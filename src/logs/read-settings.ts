import { InvalidInputError } from "../errors.js";
import { checkSignal } from "../input/call-options.js";
import { oneOf } from "../input/check.js";
import type { LogEncoding } from "./entry-batch.js";
import type { LogFormat } from "./line.js";
import type { ReportGap } from "./log-gap.js";
import { type LogPosition, parsePosition } from "./log-position.js";
import { rawFormat } from "./raw-format.js";
import type { ReadLogOptions } from "./read-options.js";
import { type Instant, instantOfDate, parseInstant } from "./timestamp.js";

export type IsRunning = (signal: AbortSignal) => boolean | Promise<boolean>;

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
  readonly isRunning: IsRunning | undefined;
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
    joins: oneOf(options.partial, "partial", { join: true, separate: false }, true),
    maxLineBytes: count("maxLineBytes", options.maxLineBytes, 4, 1024 * 1024),
    rotated: options.rotated ?? false,
    after: checkAfter(options),
    format: checkFormat(options),
    onGap: callback("onGap", options.onGap) ?? (() => {}),
    encoding: oneOf<LogEncoding>(options.encoding, "encoding", { utf8: "utf8", buffer: "buffer" }, "utf8"),
    waitForFile: options.waitForFile ?? false,
    appearsWithinMs: options.appearsWithinMs ?? 0,
    isRunning: callback("isRunning", options.isRunning),
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
  const format = oneOf(options.format, "format", { detect: undefined, raw: rawFormat }, undefined);
  if (format === undefined) return undefined;
  for (const field of ["since", "until", "rotated", "after"] as const) {
    const value = options[field];
    if (value === undefined || value === false) continue;
    throw new InvalidInputError({
      field,
      message: 'cannot be combined with format "raw": plain lines have no time',
      value,
    });
  }
  return format;
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

function instant(field: string, value: Date | string | undefined): Instant | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return instantOfDate(value);
  const parsed = typeof value === "string" ? parseInstant(value) : undefined;
  if (parsed) return parsed;
  const message = "must be a valid Date or an RFC 3339 string, such as 2026-11-23T05:55:00.123456789Z";
  throw new InvalidInputError({ field, message, value });
}
