import { Long } from "../proto.js";

/**
 * Returns the deadline after a delay. It uses the monotonic clock, so that a change of the system clock does not move the
 * deadline.
 */
export function deadlineIn(delayMs: number): Date {
  return new SteadyDeadline(delayMs);
}

class SteadyDeadline extends Date {
  readonly #expiry: number;

  constructor(delayMs: number) {
    super(Date.now() + delayMs);
    this.#expiry = performance.now() + delayMs;
  }

  override getTime(): number {
    return Date.now() + this.#expiry - performance.now();
  }
}

const nanosecondsPerMillisecond = 1_000_000;

/**
 * Converts CRI's int64 nanoseconds since the epoch to a `Date`, rounded down to milliseconds. Returns `undefined` for zero,
 * which means "not set" in CRI, and for negative numbers, which cri-dockerd sends for times that are not set.
 */
export function toDate(nanoseconds: Long): Date | undefined {
  if (nanoseconds.lessThanOrEqual(0)) return undefined;
  return new Date(nanoseconds.divide(nanosecondsPerMillisecond).toNumber());
}

/** Converts a `Date` to CRI's int64 nanoseconds since the epoch. */
export function toNanoseconds(date: Date): Long {
  return Long.fromNumber(date.getTime()).multiply(nanosecondsPerMillisecond);
}

/**
 * Converts CRI's int64 nanoseconds to RFC 3339 in UTC with nine fractional digits: `2026-11-23T05:55:00.123456789Z`. Returns
 * `undefined` for the same numbers as {@link toDate}.
 */
export function toRfc3339Nano(nanoseconds: Long): string | undefined {
  const date = toDate(nanoseconds);
  if (!date) return undefined;
  const fraction = nanoseconds.modulo(1_000_000_000).toString().padStart(9, "0");
  return `${date.toISOString().slice(0, 19)}.${fraction}Z`;
}

/**
 * Converts a time in RFC 3339 to nanoseconds since the epoch. Drops fractional digits after the ninth.
 *
 * @returns `undefined` for any other string, and for times outside the range of int64 nanoseconds (before 1678, after 2261)
 */
export function fromRfc3339(text: string): Long | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/.exec(text);
  if (!match) return undefined;
  const [, local = "", fraction = "", sign, hours = 0, minutes = 0] = match;
  const date = new Date(`${local}Z`);
  // `Date` converts 30 February to a day in March.
  if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(local)) return undefined;
  const offsetSeconds = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60 : 60);
  const seconds = BigInt(date.getTime() / 1_000 - offsetSeconds);
  const nanoseconds = seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  return nanoseconds === BigInt.asIntN(64, nanoseconds) ? Long.fromString(nanoseconds.toString()) : undefined;
}
