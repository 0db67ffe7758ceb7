import { skipZeros } from "./line-splitter.js";
import type { LogFile } from "./log-file.js";

/** How much to read at a time. */
const blockBytes = 64 * 1024;

const lineBreak = 0x0a;

/**
 * Takes a line: where it is in a buffer that is reused, and where in the file; both without its line break. False ends the visit.
 */
export type VisitLine = (bytes: Buffer, start: number, end: number, lineStart: number, lineEnd: number) => boolean;

/**
 * Visits the lines of a file from the last to the first. What follows the last line break is visited first, if there is anything.
 *
 * @param size where the file ends, for this purpose
 * @param maxBytes of a longer line only that much of its beginning is read
 */
export async function eachLineFromEnd(file: LogFile, size: number, maxBytes: number, visit: VisitLine): Promise<void> {
  const block = Buffer.allocUnsafe(Math.min(blockBytes, size));
  let lineEnd = size;
  for (let blockEnd = size; blockEnd > 0; ) {
    const blockStart = Math.max(0, blockEnd - block.length);
    const bytes = await readRange(file, block, blockStart, blockEnd);
    const found = (lineStart: number): boolean | Promise<boolean> => {
      if (lineStart === size) return true;
      const start = lineStart - blockStart;
      // The usual line is within the block; one that reaches into the blocks behind it is read once more.
      if (lineEnd <= blockEnd) {
        const content = skipZeros(bytes, start, lineEnd - blockStart);
        return visit(bytes, content, lineEnd - blockStart, lineStart + content - start, lineEnd);
      }
      return readLong(file, lineStart, lineEnd, maxBytes).then(({ line, zeros }) =>
        visit(line, 0, line.length, lineStart + zeros, lineEnd),
      );
    };
    for (let at = lastBreak(bytes, bytes.length); at >= 0; at = lastBreak(bytes, at)) {
      const goesOn = found(blockStart + at + 1);
      if (!(typeof goesOn === "boolean" ? goesOn : await goesOn)) return;
      lineEnd = blockStart + at;
    }
    if (blockStart === 0) await found(0);
    blockEnd = blockStart;
  }
}

/** Reads the beginning of a long line, behind the zero bytes that it may begin with. */
async function readLong(file: LogFile, lineStart: number, lineEnd: number, maxBytes: number) {
  const block = Buffer.allocUnsafe(Math.min(maxBytes, lineEnd - lineStart));
  for (let start = lineStart; ; ) {
    const line = await readRange(file, block, start, Math.min(lineEnd, start + block.length));
    const zeros = skipZeros(line, 0, line.length);
    start += zeros;
    if (zeros === 0 || line.length === 0) return { line, zeros: start - lineStart };
  }
}

/** Reads from one place to another; what has been truncated away meanwhile is missing at the end. */
async function readRange(file: LogFile, into: Buffer, start: number, end: number): Promise<Buffer> {
  let filled = 0;
  while (filled < end - start) {
    const count = await file.readAt(into.subarray(filled, end - start), start + filled);
    if (count === 0) break;
    filled += count;
  }
  return into.subarray(0, filled);
}

function lastBreak(bytes: Buffer, before: number): number {
  return before === 0 ? -1 : bytes.lastIndexOf(lineBreak, before - 1);
}
