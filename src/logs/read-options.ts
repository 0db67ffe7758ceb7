import type { FieldsOf } from "../internal/record.js";
import type { LogStreamName } from "./entry.js";
import type { LogEncoding } from "./entry-batch.js";
import type { LogGap } from "./log-gap.js";

/** Which part of a log to read, and how. */
export interface LogOptions {
  /**
   * Continues to read new lines at the end of the log, through rotations, until the container has ended and all its output was
   * read.
   *
   * When files are renamed, nothing is lost as long as each rotated file still exists when the reader reaches it, under one of
   * the names that {@link rotated} lists. When a file is truncated in place (`copytruncate`), lines that were written between the
   * last read and the truncation are lost to every follower.
   *
   * @defaultValue false
   */
  follow?: boolean | undefined;
  /** Omits lines before this time. A string is RFC 3339 and is compared to the nanosecond. */
  since?: Date | string | undefined;
  /** Omits lines after this time. Following ends soon after this time has passed. */
  until?: Date | string | undefined;
  /**
   * Starts this number of lines before the end. A line counts once, even if the runtime wrote it in several parts. Lines of other
   * streams and lines after {@link until} do not count. {@link since} may then omit some of the counted lines. 0 reads no old
   * lines, to follow only new ones.
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
   * How to handle long lines, which runtimes write in parts of, for example, 16 KiB. `"join"` joins the parts; `"separate"` emits
   * each part as an entry that is marked as partial. @defaultValue "join"
   */
  partial?: "join" | "separate" | undefined;
  /**
   * The maximum content of an entry in bytes, at least 4. A longer line is split into several entries; all except the last are
   * marked as partial. This limits the memory for a line. @defaultValue 1048576
   */
  maxLineBytes?: number | undefined;
  /**
   * Also reads the rotated files, oldest first, including compressed ones. Their names are that of the log with a suffix, such as
   * the kubelet's `0.log.20261128-100000.gz`, Docker's `x-json.log.1` and logrotate's `0.log-20261128`, or with a date before the
   * extension, as in `0-20261128.log`. The runtime may still be writing to the latest rotated file. Unless that file is
   * compressed, the reader waits until it has not grown for 200 ms. @defaultValue false
   */
  rotated?: boolean | undefined;
  /**
   * Starts exactly after the entry with this `position`, even if rotations have renamed its file. If that file was removed,
   * `onGap` is called with `lost`, and reading starts with the oldest file that is newer. Not together with `tailLines`.
   */
  after?: string | undefined;
  /**
   * The format of the log. `"detect"` reads CRI's format and Docker's JSON. `"raw"` reads plain lines: `timestamp` is empty, and
   * every line counts as standard output. Files of plain lines cannot be identified, so `since`, `until`, `rotated` and `after`
   * cannot be used, and following continues in the file that has the name of the log. @defaultValue "detect"
   */
  format?: "detect" | "raw" | undefined;
  /** Called for every part of the log that is omitted: malformed lines, holes, unreadable files. See {@link LogGap}. */
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
   * Returns whether a process still writes to the log. Called only when there is nothing to read, and at most once a second.
   * Reading continues while its promise is pending. Once it returns false, the rest is read and the stream ends. If it fails, the
   * stream fails with the same error. @defaultValue always true
   */
  isRunning?: ((signal: AbortSignal) => boolean | Promise<boolean>) | undefined;
  /**
   * Aborts when no process writes to the log any more: following then reads the rest and ends at once. For callers that are
   * notified of the writer's end, whereas {@link isRunning} is polled.
   */
  writerEnded?: AbortSignal | undefined;
  /**
   * How often to poll for new lines, in milliseconds, at least 1. Only relevant where the file system may not report every change:
   * everywhere except on the usual local file systems of Linux. There, the reader detects changes at once, and looks every 10
   * seconds for one that was not reported. Also relevant with {@link isRunning} and `until`, and for a symbolic link.
   * @defaultValue 1000
   */
  pollIntervalMs?: number | undefined;
  /** @internal How long to wait for a file that does not exist yet, in milliseconds, if its folder exists. */
  appearsWithinMs?: number | undefined;
  /** @internal Called whenever everything so far was read, before waiting for more. Only with `follow`. */
  onWait?: (() => void) | undefined;
}

export const logFields: FieldsOf<LogOptions> = {
  follow: true,
  since: true,
  until: true,
  tailLines: true,
  limitBytes: true,
  streams: true,
  partial: true,
  maxLineBytes: true,
  rotated: true,
  after: true,
  format: true,
  onGap: true,
  encoding: true,
  signal: true,
};

export const readLogFields: FieldsOf<ReadLogOptions> = {
  ...logFields,
  waitForFile: true,
  isRunning: true,
  writerEnded: true,
  pollIntervalMs: true,
  appearsWithinMs: "internal",
  onWait: "internal",
};
