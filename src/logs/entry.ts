/** Where a process wrote a line. */
export type LogStreamName = "stdout" | "stderr";

/** What every entry of a log says about itself. */
export interface LogEntryBase {
  /**
   * When the runtime received the line (its first part, if it came in several), in RFC 3339 with nine digits of the second. The
   * time zone is the one that was written: UTC or the node's own. Made for showing; for comparing use `Date.parse` or `since`.
   */
  timestamp: string;
  stream: LogStreamName;
  /**
   * Whether the line goes on after this entry, or its end is not in the file. To get the bytes of the process back, put a line
   * break behind every entry that is not partial.
   */
  partial: boolean;
  /**
   * Where in the log the entry ends: a short opaque string for `after`. It stays valid in other processes and while the log is
   * rotated, renamed or compressed. If a line is unfinished, was cut off by `limitBytes` or split at `maxLineBytes`, every entry of it
   * except the last has the position before the line. Resuming there reads the whole line again.
   *
   * It is a getter: `JSON.stringify(entry)` has it, a copy by `{ ...entry }` has not.
   */
  readonly position: string;
}

/** A line of a log as text. */
export interface LogEntry extends LogEntryBase {
  /** Without the line break. Bytes that are no UTF-8 are replacement characters. */
  text: string;
}

/** A line of a log as bytes. */
export interface LogBytesEntry extends LogEntryBase {
  /** Without the line break; the caller's own. */
  bytes: Uint8Array;
}
