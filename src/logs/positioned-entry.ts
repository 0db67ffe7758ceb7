import type { LogBytesEntry, LogEntry, LogEntryBase, LogStreamName } from "./entry.js";

/** An entry that builds its position on access: most programs never use it, and building it would double the cost of a line. */
class PositionedEntry implements LogEntryBase {
  timestamp: string;
  stream: LogStreamName;
  partial: boolean;
  readonly #prefix: string;
  readonly #rest: number | string;

  constructor(timestamp: string, stream: LogStreamName, partial: boolean, prefix: string, rest: number | string) {
    this.timestamp = timestamp;
    this.stream = stream;
    this.partial = partial;
    this.#prefix = prefix;
    this.#rest = rest;
  }

  get position(): string {
    return this.#prefix + this.#rest;
  }

  /** Adds the position for `JSON.stringify`, which skips getters. */
  toJSON(): object {
    return { ...this, position: this.position };
  }
}

/** A line as a string, with its position. */
export class TextEntry extends PositionedEntry implements LogEntry {
  text: string;

  constructor(
    timestamp: string,
    stream: LogStreamName,
    partial: boolean,
    text: string,
    prefix: string,
    rest: number | string,
  ) {
    super(timestamp, stream, partial, prefix, rest);
    this.text = text;
  }
}

/** A line as bytes, with its position. */
export class BytesEntry extends PositionedEntry implements LogBytesEntry {
  bytes: Uint8Array;

  constructor(
    timestamp: string,
    stream: LogStreamName,
    partial: boolean,
    bytes: Uint8Array,
    prefix: string,
    rest: number | string,
  ) {
    super(timestamp, stream, partial, prefix, rest);
    this.bytes = bytes;
  }
}
