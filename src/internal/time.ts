import { Long } from "../proto.js";

/** A time from now as a deadline. It is kept by the monotonic clock: setting the clock does not move it. */
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

/**
 * The nanoseconds since the epoch of a time in RFC 3339. Digits of the second beyond the ninth are dropped.
 *
 * @returns `undefined` for any other text, and for times that int64 nanoseconds cannot hold (before 1678, after 2261)
 */
export function fromRfc3339(text: string): Long | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/.exec(text);
  if (!match) return undefined;
  const [, local = "", fraction = "", sign, hours = 0, minutes = 0] = match;
  const date = new Date(`${local}Z`);
  // `Date` carries 30 February over into March.
  if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(local)) return undefined;
  const offsetSeconds = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60 : 60);
  const seconds = BigInt(date.getTime() / 1_000 - offsetSeconds);
  const nanoseconds = seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  return nanoseconds === BigInt.asIntN(64, nanoseconds) ? Long.fromString(nanoseconds.toString()) : undefined;
}
