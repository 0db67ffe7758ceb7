import { createHash } from "node:crypto";
import { unzip } from "./compressed.js";
import { Line } from "./line.js";
import { detectFormat, skipZeros } from "./line-splitter.js";
import type { LogFile } from "./log-file.js";
import { compareInstants, type Instant, instantOf } from "./timestamp.js";

/** How much of the first line is hashed, in bytes. */
const hashedBytes = 1_024;

/** How much of a file is searched for the first line in a known format, in bytes. */
export const headBytes = 256 * 1024;

/** How much of a file is read first, in bytes. This is enough for most files. */
const firstHeadBytes = 8 * 1024;

const lineBreak = 0x0a;

/**
 * Computes the fingerprint of a file: `<time>.<hash>` of its first line in a known format. It stays the same when the file is
 * renamed, copied or compressed. It nearly always differs from those of the files before and after it, because timestamps have
 * nanoseconds.
 *
 * @param bytes the beginning of the file, without leading zero bytes
 * @returns `undefined` while that line is incomplete, or if there is none
 */
export function fingerprintOf(bytes: Buffer): string | undefined {
  const line = new Line();
  for (let start = 0; start < bytes.length; ) {
    start = skipZeros(bytes, start, bytes.length);
    const lineEnd = bytes.indexOf(lineBreak, start);
    if (lineEnd < 0 && bytes.length - start < hashedBytes) return undefined;
    const end = lineEnd < 0 ? bytes.length : lineEnd;
    if (detectFormat(bytes, start, end, line)) {
      const hashed = bytes.subarray(start, Math.min(end, start + hashedBytes));
      return `${formatTime(line)}.${createHash("sha256").update(hashed).digest("base64url").slice(0, 8)}`;
    }
    if (lineEnd < 0) return undefined;
    start = lineEnd + 1;
  }
  return undefined;
}

/** Reads the fingerprint of an open log file; returns `undefined` while its first line is incomplete. */
export async function readFingerprint(file: LogFile): Promise<string | undefined> {
  for (const bytes of [firstHeadBytes, headBytes]) {
    const { head } = await file.head(bytes);
    const fingerprint = fingerprintOf(head);
    if (fingerprint !== undefined || head.length < bytes) return fingerprint;
  }
  return undefined;
}

/** Reads the fingerprint of an open compressed file. */
export async function readCompressedFingerprint(file: LogFile, signal: AbortSignal): Promise<string | undefined> {
  let head = Buffer.alloc(0);
  for await (const chunk of unzip(file, signal)) {
    const bytes = Buffer.concat([head, chunk]);
    head = bytes.subarray(skipZeros(bytes, 0, bytes.length));
    const fingerprint = fingerprintOf(head);
    if (fingerprint !== undefined || head.length > headBytes) return fingerprint;
  }
  return undefined;
}

/** Compares the times at which two files begin, by the clock of the node. Returns a number below 0 if the first file is older. */
export function compareFingerprints(left: string, right: string): number {
  return compareInstants(timeOf(left), timeOf(right));
}

/** Formats a timestamp in base 36: the seconds since the epoch, then the nanoseconds in six digits. */
function formatTime({ stampBytes, stampStart, stampEnd }: Line): string {
  const { seconds, nanoseconds } = instantOf(stampBytes, stampStart, stampEnd);
  return Math.max(0, seconds).toString(36) + Math.trunc(nanoseconds).toString(36).padStart(6, "0");
}

function timeOf(fingerprint: string): Instant {
  const time = fingerprint.slice(0, fingerprint.indexOf("."));
  return { seconds: Number.parseInt(time.slice(0, -6), 36), nanoseconds: Number.parseInt(time.slice(-6), 36) };
}
