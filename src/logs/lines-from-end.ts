import { skipZeros } from "./line-splitter.js";
import type { LogFile } from "./log-file.js";

/** How much to read at a time, in bytes. */
const blockBytes = 64 * 1024;

const lineBreak = 0x0a;

/**
 * Receives a line: its place in a buffer that is reused, and its place in the file, both without the line break. Returns false to
 * stop.
 */
export type VisitLine = (bytes: Buffer, start: number, end: number, lineStart: number, lineEnd: number) => boolean;

/**
 * Visits the lines of a file from the last to the first, beginning with an incomplete line behind the last line break.
 *
 * @param size the offset where to begin, in bytes
 * @param maxBytes the maximum number of bytes to read of a line
 */
export async function eachLineFromEnd(file: LogFile, size: number, maxBytes: number, visit: VisitLine): Promise<void> {
  const block = Buffer.allocUnsafe(Math.min(blockBytes, size));
  let lineEnd = size;
  for (let blockEnd = size; blockEnd > 0; ) {
    const blockStart = Math.max(0, blockEnd - block.length);
    const bytes = await readRange(file, block, blockStart, blockEnd);
    const visitFrom = (lineStart: number): boolean | Promise<boolean> => {
      if (lineStart === size) return true;
      const start = lineStart - blockStart;
      // Most lines are within the block. A line that extends into later blocks is read again.
      if (lineEnd <= blockEnd) {
        const content = skipZeros(bytes, start, lineEnd - blockStart);
        return visit(bytes, content, lineEnd - blockStart, lineStart + content - start, lineEnd);
      }
      return readLong(file, lineStart, lineEnd, maxBytes).then(({ line, zeros }) =>
        visit(line, 0, line.length, lineStart + zeros, lineEnd),
      );
    };
    for (let at = lastBreak(bytes, bytes.length); at >= 0; at = lastBreak(bytes, at)) {
      const mayContinue = visitFrom(blockStart + at + 1);
      if (!(typeof mayContinue === "boolean" ? mayContinue : await mayContinue)) return;
      lineEnd = blockStart + at;
    }
    if (blockStart === 0) await visitFrom(0);
    blockEnd = blockStart;
  }
}

/** Reads the beginning of a long line, behind leading zero bytes. */
async function readLong(file: LogFile, lineStart: number, lineEnd: number, maxBytes: number) {
  const block = Buffer.allocUnsafe(Math.min(maxBytes, lineEnd - lineStart));
  for (let start = lineStart; ; ) {
    const line = await readRange(file, block, start, Math.min(lineEnd, start + block.length));
    const zeros = skipZeros(line, 0, line.length);
    start += zeros;
    if (zeros === 0 || line.length === 0) return { line, zeros: start - lineStart };
  }
}

/** Reads a range of a file. Returns fewer bytes if the file was truncated meanwhile. */
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
