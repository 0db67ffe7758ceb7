/**
 * RFC 3339 timestamps as Go's time.RFC3339Nano writes them: the fraction is optional and of any length, the zone is Z or an
 * offset. All functions work on bytes, because they run for every line of a log.
 *
 * @module
 */

/** A point in time, exact to the nanosecond. */
export interface Instant {
  /** Seconds since the epoch; negative before 1970. */
  readonly seconds: number;
  /** 0 to 999999999. */
  readonly nanoseconds: number;
}

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const dot = 0x2e;

/** Length up to the seconds: `2026-11-23T05:55:00`. */
const secondsLength = 19;

/** Returns where the timestamp that begins at `start` ends, or -1 if there is none. Never reads bytes from `end` on. */
export function timestampEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= secondsLength) return -1;
  const year = pair(bytes, start) * 100 + pair(bytes, start + 2);
  const month = pair(bytes, start + 5);
  const day = pair(bytes, start + 8);
  if (
    !(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= lastDay(year, month)) ||
    !(pair(bytes, start + 11) <= 23 && pair(bytes, start + 14) <= 59 && pair(bytes, start + 17) <= 59) ||
    bytes[start + 4] !== 0x2d ||
    bytes[start + 7] !== 0x2d ||
    bytes[start + 10] !== 0x54 ||
    bytes[start + 13] !== 0x3a ||
    bytes[start + 16] !== 0x3a
  ) {
    return -1;
  }
  const zone = fractionEnd(bytes, start, end);
  if (zone >= end || zone === start + secondsLength + 1) return -1;
  const sign = bytes[zone];
  if (sign === 0x5a) return zone + 1;
  if ((sign !== 0x2b && sign !== 0x2d) || zone + 6 > end || bytes[zone + 3] !== 0x3a) return -1;
  return pair(bytes, zone + 1) <= 23 && pair(bytes, zone + 4) <= 59 ? zone + 6 : -1;
}

/** Returns whether the timestamp from `start` to `end`, which {@link timestampEnd} accepted, has nine digits of the second. */
export function hasNineDigits(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start - zoneLength(bytes, end) === secondsLength + 10;
}

/** Formats the timestamp from `start` to `end`, which {@link timestampEnd} accepted, with exactly nine digits of the second. */
export function nineDigits(bytes: Buffer, start: number, end: number): string {
  const fraction = start + secondsLength;
  if (hasNineDigits(bytes, start, end)) return bytes.toString("latin1", start, end);
  const zone = end - zoneLength(bytes, end);
  const digits = bytes
    .toString("latin1", fraction + 1, zone)
    .slice(0, 9)
    .padEnd(9, "0");
  return `${bytes.toString("latin1", start, fraction)}.${digits}${bytes.toString("latin1", zone, end)}`;
}

/** Converts the timestamp from `start` to `end`, which {@link timestampEnd} accepted, to a point in time. */
export function instantOf(bytes: Uint8Array, start: number, end: number): Instant {
  const days = daysSinceEpoch(
    pair(bytes, start) * 100 + pair(bytes, start + 2),
    pair(bytes, start + 5),
    pair(bytes, start + 8),
  );
  let seconds =
    days * 86_400 + pair(bytes, start + 11) * 3_600 + pair(bytes, start + 14) * 60 + pair(bytes, start + 17);
  const zone = end - zoneLength(bytes, end);
  let nanoseconds = 0;
  for (let at = start + secondsLength + 1, unit = 1e8; at < zone && unit >= 1; at++, unit /= 10) {
    nanoseconds += (bytes[at]! - 0x30) * unit;
  }
  if (bytes[zone] !== 0x5a) {
    const offset = pair(bytes, zone + 1) * 3_600 + pair(bytes, zone + 4) * 60;
    seconds += bytes[zone] === 0x2b ? -offset : offset;
  }
  return { seconds, nanoseconds };
}

/** Parses a string; returns `undefined` if it is not RFC 3339. */
export function parseInstant(value: string): Instant | undefined {
  const bytes = Buffer.from(value, "utf8");
  return timestampEnd(bytes, 0, bytes.length) === bytes.length ? instantOf(bytes, 0, bytes.length) : undefined;
}

/** Converts a valid `Date` to a point in time. */
export function instantOfDate(date: Date): Instant {
  const seconds = Math.floor(date.getTime() / 1_000);
  return { seconds, nanoseconds: (date.getTime() - seconds * 1_000) * 1e6 };
}

/** Returns a number below 0 if the first is earlier, above 0 if it is later, else 0. */
export function compareInstants(left: Instant, right: Instant): number {
  return left.seconds - right.seconds || left.nanoseconds - right.nanoseconds;
}

/** Parses two digits. Returns NaN, for which every comparison is false, if they are not digits. */
function pair(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Returns the length of the time zone that ends at `end`. */
function zoneLength(bytes: Uint8Array, end: number): number {
  return bytes[end - 1] === 0x5a ? 1 : 6;
}

/** Returns where the optional fraction of the second ends, which is where the time zone begins. */
function fractionEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start + secondsLength;
  if (bytes[at] !== dot) return at;
  do at++;
  while (at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39);
  return at;
}

function lastDay(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return leap ? 29 : daysInMonth[month - 1]!;
}

/** Days of the Gregorian calendar. Years begin in March here, so that the leap day is the last day. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + dayOfYear - 719_468;
}
