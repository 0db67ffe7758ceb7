import type { LogStreamName } from "./entry.js";

/** The streams of a process. A {@link Line} refers to them by index. */
export const streamNames = ["stdout", "stderr"] as const satisfies readonly LogStreamName[];

/**
 * One physical line as a format reads it. The object and the buffer behind its bytes are reused for the next line, so code that
 * keeps a part of it copies that part.
 */
export class Line {
  /** Index in {@link streamNames}. */
  stream: 0 | 1 = 0;
  /** Whether the line that the process wrote continues in the next physical line of the same stream. */
  partial = false;
  /** The timestamp as the runtime wrote it. */
  stampBytes: Buffer = empty;
  stampStart = 0;
  stampEnd = 0;
  /** The content that the process wrote, without a line break. */
  bytes: Buffer = empty;
  start = 0;
  end = 0;
  /** Where in the file the physical line begins. */
  offset = 0;
  /** Where in the file the next physical line begins. Set once this line is complete. */
  next = 0;
}

const empty = Buffer.alloc(0);

/** A format of log lines. */
export interface LogFormat {
  /** Whether the beginning of a line is enough to parse all of it except the rest of the content. */
  readonly readsBeginnings: boolean;
  /** Parses the line from `start` to its line break at `end`. Returns false if it has another format. Never throws. */
  parse(bytes: Buffer, start: number, end: number, line: Line): boolean;
}

/** Receives physical lines in the order of the file. */
export interface LineSink {
  /**
   * Receives a physical line, or a part of one that is too long to be buffered.
   *
   * @param atEnd the physical line ends here
   * @param cutOff the file ends here, and there is no line break
   */
  line(line: Line, atEnd: boolean, cutOff: boolean): void;
}
