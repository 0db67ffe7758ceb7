/**
 * A reference implementation of the log reader. It is simple rather than fast: whole file in memory, one regular expression.
 *
 * @module
 */
import type { LogBytesEntry, LogStreamName } from "../../../src/logs/entry.js";

/** An entry without its position. */
export type ReferenceEntry = Omit<LogBytesEntry, "position">;

/** The options that the reference implementation supports. */
export interface ReferenceOptions {
  since?: string;
  until?: string;
  tailLines?: number;
  streams?: readonly LogStreamName[];
  partial?: "join" | "separate";
}

const criLine = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d) (stdout|stderr) ([^ ]*) (.*)$/s;

interface Parsed {
  timestamp: string;
  stream: LogStreamName;
  more: boolean;
  cutOff: boolean;
  content: Buffer;
}

/** An entry, and the physical line that it ends in. */
interface Found extends ReferenceEntry {
  last: number;
}

/** Converts a timestamp to nanoseconds since the epoch. */
export function nanoseconds(timestamp: string): bigint {
  const [, seconds = "", fraction = "", zone = ""] = /^(.{19})(?:\.(\d+))?(.*)$/.exec(timestamp) ?? [];
  return BigInt(Date.parse(seconds + zone)) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}

/** Reads a log in CRI's format. Returns the entries and the number of skipped lines. */
export function readReference(
  bytes: Buffer,
  options: ReferenceOptions = {},
): { entries: ReferenceEntry[]; skipped: number } {
  const lines = bytes.toString("latin1").split("\n");
  const parsed: Parsed[] = [];
  let skipped = 0;
  for (const [index, line] of lines.entries()) {
    const cutOff = index === lines.length - 1;
    if (cutOff && line === "") continue;
    const match = criLine.exec(line);
    if (!match) {
      skipped++;
      continue;
    }
    const [, seconds, fraction = "", zone, stream, tags = "", content = ""] = match;
    parsed.push({
      timestamp: `${seconds}.${fraction.slice(0, 9).padEnd(9, "0")}${zone}`,
      stream: stream as LogStreamName,
      more: tags.split(":")[0] === "P",
      cutOff,
      content: Buffer.from(content, "latin1"),
    });
  }
  const { streams = ["stdout", "stderr"], until, since, tailLines } = options;
  let found = assemble(parsed, options.partial !== "separate").filter(({ stream }) => streams.includes(stream));
  if (until) found = found.filter(({ timestamp }) => nanoseconds(timestamp) <= nanoseconds(until));
  if (tailLines !== undefined) {
    // A line without a line break is emitted last, but tailLines counts it where its last part is.
    const byLastLine = found.toSorted((left, right) => left.last - right.last);
    const wanted = new Set(tailLines === 0 ? [] : byLastLine.slice(-tailLines));
    found = found.filter((entry) => wanted.has(entry));
  }
  if (since) found = found.filter(({ timestamp }) => nanoseconds(timestamp) >= nanoseconds(since));
  return { entries: found.map(({ last: _, ...entry }) => entry), skipped };
}

function assemble(parsed: readonly Parsed[], joins: boolean): Found[] {
  const entries: Found[] = [];
  const open = new Map<LogStreamName, { timestamp: string; parts: Buffer[]; last: number }>();
  for (const [last, { timestamp, stream, more, cutOff, content }] of parsed.entries()) {
    const line = open.get(stream) ?? { timestamp, parts: [], last };
    line.parts.push(content);
    line.last = last;
    open.set(stream, line);
    if (joins && more) continue;
    open.delete(stream);
    entries.push({
      timestamp: line.timestamp,
      stream,
      partial: more || cutOff,
      bytes: Buffer.concat(line.parts),
      last,
    });
  }
  for (const stream of ["stdout", "stderr"] as const) {
    const line = open.get(stream);
    if (!line) continue;
    const { timestamp, parts, last } = line;
    entries.push({ timestamp, stream, partial: true, bytes: Buffer.concat(parts), last });
  }
  return entries;
}
