import { Long } from "../proto.js";

const nanosecondsPerMillisecond = 1_000_000;

/**
 * CRI's int64 nanoseconds since the epoch as a `Date`, rounded down to milliseconds. Zero means "not set" in CRI, and
 * cri-dockerd sends huge negative numbers for times that have not come: both give `undefined`.
 */
export function toDate(nanoseconds: Long): Date | undefined {
  if (nanoseconds.lessThanOrEqual(0)) return undefined;
  return new Date(nanoseconds.divide(nanosecondsPerMillisecond).toNumber());
}

/** A `Date` as CRI's int64 nanoseconds since the epoch. */
export function toNanoseconds(date: Date): Long {
  return Long.fromNumber(date.getTime()).multiply(nanosecondsPerMillisecond);
}

/**
 * CRI's int64 nanoseconds as RFC 3339 in UTC with all nine digits of the second, as `2026-11-23T05:55:00.123456789Z`;
 * `undefined` where {@link toDate} gives that.
 */
export function toRfc3339Nano(nanoseconds: Long): string | undefined {
  const date = toDate(nanoseconds);
  if (!date) return undefined;
  const fraction = nanoseconds.modulo(1_000_000_000).toString().padStart(9, "0");
  return `${date.toISOString().slice(0, 19)}.${fraction}Z`;
}
