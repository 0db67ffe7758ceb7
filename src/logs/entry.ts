/** The stream that a process wrote a line to. */
export type LogStreamName = "stdout" | "stderr";

/** The fields of every entry of a log. */
export interface LogEntryBase {
  /**
   * When the runtime received the line, or its first part, in RFC 3339 with nine digits of the second. The time zone is the one
   * in the log: UTC or the node's own. Strings of different time zones do not sort by time: compare with `Date.parse` or use
   * `since`.
   */
  timestamp: string;
  stream: LogStreamName;
  /**
   * Whether the line continues in the next entry of its stream, or its end is not in the file. To restore the output of the
   * process, append a line break to every entry that is not partial.
   */
  partial: boolean;
  /**
   * Where in the log the entry ends: a short opaque string for `after`. It stays valid in other processes and while the log is
   * rotated, renamed or compressed. If a line is unfinished, was cut off by `limitBytes` or split at `maxLineBytes`, every entry
   * of it except the last has the position before the line. Resuming there reads the whole line again.
   *
   * It is a getter: `JSON.stringify(entry)` contains it, a copy by `{ ...entry }` does not.
   */
  readonly position: string;
}

/** A line of a log as a string. */
export interface LogEntry extends LogEntryBase {
  /** The content without the line break. Bytes that are not UTF-8 become U+FFFD. */
  text: string;
}

/** A line of a log as bytes. */
export interface LogBytesEntry extends LogEntryBase {
  /** The content without the line break, in a copy that belongs to the caller. */
  bytes: Uint8Array;
}
