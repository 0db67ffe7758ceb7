/*
 * RFC 3339 as Go's time.RFC3339Nano writes it: the fraction may be missing or of any length, the zone is Z or an offset.
 * Everything here works on bytes, because it runs for every line of a log.
 */

/** A point in time, exact to the nanosecond. */
export interface Instant {
  /** Since the epoch; negative before it. */
  readonly seconds: number;
  /** 0 to 999999999. */
  readonly nanoseconds: number;
}

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const dot = 0x2e;

/** Length up to the seconds: `2026-11-23T05:55:00`. */
const secondsLength = 19;

/** Where the timestamp that starts here ends, or -1 when none does. Never looks at `end` or beyond. */
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

/** Whether the timestamp from `start` to `end`, which {@link timestampEnd} has found good, has nine digits of the second. */
export function hasNineDigits(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start - zoneLength(bytes, end) === secondsLength + 10;
}

/** The timestamp from `start` to `end`, under the same condition, with exactly nine digits of the second. */
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

/** The point in time that a timestamp names, under the same condition. */
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

/** The point in time that a text names, or `undefined` when it is no RFC 3339. */
export function parseInstant(text: string): Instant | undefined {
  const bytes = Buffer.from(text, "utf8");
  return timestampEnd(bytes, 0, bytes.length) === bytes.length ? instantOf(bytes, 0, bytes.length) : undefined;
}

/** The point in time of a valid `Date`. */
export function instantOfDate(date: Date): Instant {
  const seconds = Math.floor(date.getTime() / 1_000);
  return { seconds, nanoseconds: (date.getTime() - seconds * 1_000) * 1e6 };
}

/** Below 0 when the first is earlier, above 0 when it is later, else 0. */
export function compareInstants(left: Instant, right: Instant): number {
  return left.seconds - right.seconds || left.nanoseconds - right.nanoseconds;
}

/** The number that two digits make; NaN, which is neither above nor below anything, when they are no digits. */
function pair(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** How long the zone is that ends here. */
function zoneLength(bytes: Uint8Array, end: number): number {
  return bytes[end - 1] === 0x5a ? 1 : 6;
}

/** Where the fraction ends that may follow the seconds: the place of the zone. */
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

/** Days of the Gregorian calendar. Years begin in March here, which puts the leap day last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + dayOfYear - 719_468;
}
