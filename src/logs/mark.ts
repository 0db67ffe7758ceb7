import { createHash } from "node:crypto";
import { Line } from "./line.js";
import { detectFormat, skipZeros } from "./line-splitter.js";
import { compareInstants, type Instant, instantOf } from "./timestamp.js";

/** How much of the first line is hashed, in bytes. */
const hashedBytes = 1_024;

/** In how much of a file the first line in a known format is looked for, in bytes. */
export const headBytes = 256 * 1024;

const lineBreak = 0x0a;

/**
 * The mark of a file: `<time>.<hash>` of its first line in a known format. It stays the same when the file is renamed, copied or
 * compressed, and nearly always differs from that of the files before and after it: lines have nanoseconds.
 *
 * @param bytes the beginning of the file, without leading zero bytes
 * @returns undefined while that line is not complete, or there is none
 */
export function markIn(bytes: Buffer): string | undefined {
  const line = new Line();
  for (let start = 0; start < bytes.length; ) {
    start = skipZeros(bytes, start, bytes.length);
    const lineEnd = bytes.indexOf(lineBreak, start);
    if (lineEnd < 0 && bytes.length - start < hashedBytes) return undefined;
    const end = lineEnd < 0 ? bytes.length : lineEnd;
    if (detectFormat(bytes, start, end, line)) {
      const hashed = bytes.subarray(start, Math.min(end, start + hashedBytes));
      return `${timeText(line)}.${createHash("sha256").update(hashed).digest("base64url").slice(0, 8)}`;
    }
    if (lineEnd < 0) return undefined;
    start = lineEnd + 1;
  }
  return undefined;
}

/** Below 0 when the file of the first mark was begun earlier, by the clock of the node. */
export function compareMarks(left: string, right: string): number {
  return compareInstants(timeOf(left), timeOf(right));
}

/** Seconds and nanoseconds since the epoch, six digits of the latter. */
function timeText({ stampBytes, stampStart, stampEnd }: Line): string {
  const { seconds, nanoseconds } = instantOf(stampBytes, stampStart, stampEnd);
  return Math.max(0, seconds).toString(36) + Math.trunc(nanoseconds).toString(36).padStart(6, "0");
}

function timeOf(mark: string): Instant {
  const time = mark.slice(0, mark.indexOf("."));
  return { seconds: Number.parseInt(time.slice(0, -6), 36), nanoseconds: Number.parseInt(time.slice(-6), 36) };
}
