import { Long } from "../../proto.js";

/** Wall-clock time in the nanoseconds that CRI counts in. Never gives the same instant twice, never runs backwards. */
export class Clock {
  readonly #origin = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  #last = 0n;

  now(): bigint {
    const now = this.#origin + process.hrtime.bigint();
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last;
  }
}

/** As an int64 of a message. */
export function toLong(value: bigint): Long {
  return Long.fromString(value.toString());
}
