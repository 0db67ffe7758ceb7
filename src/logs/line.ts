import type { LogStreamName } from "./entry.js";

/** The streams of a process; a {@link Line} has the index. */
export const streamNames = ["stdout", "stderr"] as const satisfies readonly LogStreamName[];

/**
 * One physical line as a format reads it. There is one object per file that is filled again and again, and its bytes are those
 * of a buffer that is reused: whoever keeps something copies it.
 */
export class Line {
  /** Index in {@link streamNames}. */
  stream: 0 | 1 = 0;
  /** Whether the line that the process wrote goes on in the next physical line of the same stream. */
  partial = false;
  /** The timestamp as it was written. */
  stampBytes: Buffer = nothing;
  stampStart = 0;
  stampEnd = 0;
  /** What the process wrote, without a line break. */
  bytes: Buffer = nothing;
  start = 0;
  end = 0;
  /** Where in the file the physical line begins. */
  offset = 0;
  /** Where in the file the next physical line begins, once this one is complete. */
  next = 0;
}

const nothing = Buffer.alloc(0);

/** How a runtime writes lines. */
export interface LogFormat {
  /** Whether the beginning of a line is enough to know all but the rest of its content. */
  readonly readsBeginnings: boolean;
  /** Reads the line from `start` to `end`, where its line break is; false when it is not of this format. Never throws. */
  parse(bytes: Buffer, start: number, end: number, line: Line): boolean;
}

/** Takes physical lines, in the order of the file. */
export interface LineSink {
  /**
   * A physical line, or a part of one that is too long to be held.
   *
   * @param atEnd the physical line ends here
   * @param cutOff the file ends here, and there is no line break
   */
  line(line: Line, atEnd: boolean, cutOff: boolean): void;
}
