import { Line, type LogFormat } from "./line.js";
import { detectFormat } from "./line-splitter.js";
import { unknownFormat } from "./log-failure.js";
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
      if (lineEnd <= blockEnd) return visit(bytes, start, lineEnd - blockStart, lineStart, lineEnd);
      const end = Math.min(lineEnd, lineStart + maxBytes);
      return readRange(file, Buffer.allocUnsafe(end - lineStart), lineStart, end).then((line) =>
        visit(line, 0, line.length, lineStart, lineEnd),
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

/** The format of a file, or `undefined` when there is nothing in it. @throws CriError when its first line is of no format */
export async function formatOf(file: LogFile, size: number, maxBytes: number): Promise<LogFormat | undefined> {
  if (size === 0) return undefined;
  const line = new Line();
  // Usually a few bytes tell; the line has to be read to its end where they do not.
  for (const length of [blockBytes, maxBytes]) {
    const end = Math.min(size, length);
    const bytes = await readRange(file, Buffer.allocUnsafe(end), 0, end);
    const at = bytes.indexOf(lineBreak);
    const format = detectFormat(bytes, 0, at < 0 ? bytes.length : at, line);
    if (format) return format;
    if (at >= 0) break;
  }
  throw unknownFormat(file.path);
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
