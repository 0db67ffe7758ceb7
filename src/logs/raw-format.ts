import type { Line, LogFormat } from "./line.js";

const empty = Buffer.alloc(0);

/** The format of plain lines without time and stream. Every line counts as standard output. */
export const rawFormat: LogFormat = {
  readsBeginnings: true,
  parse(bytes: Buffer, start: number, end: number, line: Line): boolean {
    line.stream = 0;
    line.partial = false;
    line.stampBytes = empty;
    line.stampStart = 0;
    line.stampEnd = 0;
    line.bytes = bytes;
    line.start = start;
    line.end = end;
    return true;
  },
};
