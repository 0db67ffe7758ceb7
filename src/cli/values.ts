import { InvalidArgumentError } from "commander";
import { parseGoDuration } from "../specs/credentials/go-duration.js";

/** Parses a duration, such as `10s` or `1m30s`, to milliseconds. A number without a unit means seconds. */
export function duration(text: string): number {
  const milliseconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : parseGoDuration(text);
  if (milliseconds === undefined || milliseconds < 0) {
    throw new InvalidArgumentError("It must be a duration, such as 500ms, 10s, 2m or 1h30m.");
  }
  return milliseconds;
}

/** Parses a time: RFC 3339, or a duration before now, such as `5m`. */
export function pastTime(text: string): Date | string {
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  const ago = parseGoDuration(text);
  if (ago !== undefined && ago >= 0) return new Date(Date.now() - ago);
  throw new InvalidArgumentError(
    "It must be a duration before now, such as 5m, or a time, such as 2026-11-29T10:00:00Z.",
  );
}

/** Parses a whole number that is not negative. */
export function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("It must be a whole number.");
  return value;
}

/** Parses a label selector, such as `app=shop,tier=web`. It may be given several times. */
export function labels(text: string, previous: Readonly<Record<string, string>> = {}): Record<string, string> {
  const pairs = text.split(",").map((pair) => {
    // Of kubectl's operators, CRI has only equality.
    const [, key, value] = /^([^=!]+)==?(.*)$/.exec(pair.trim()) ?? [];
    if (key === undefined || value === undefined) {
      throw new InvalidArgumentError("It must have the form KEY=VALUE[,KEY=VALUE…].");
    }
    return [key, value] as const;
  });
  return { ...previous, ...Object.fromEntries(pairs) };
}
