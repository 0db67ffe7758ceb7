import { sleep, startTimer } from "../../internal/timer.js";
import { Long } from "../../proto.js";

/** The time of a runtime, by which everything on it waits. */
export interface Clock {
  /** Nanoseconds since the epoch, as CRI counts. Never gives the same instant twice, never runs backwards. */
  now(): bigint;
  /** Waits; rejects with the signal's reason as soon as it aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once. Returns the function that stops it. */
  startTimer(delayMs: number, callback: () => void): () => void;
}

/** The time of this machine. */
export class RealClock implements Clock {
  readonly #origin = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  #last = 0n;

  now(): bigint {
    const now = this.#origin + process.hrtime.bigint();
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleep(delayMs, signal);
  }

  startTimer(delayMs: number, callback: () => void): () => void {
    return startTimer(delayMs, callback);
  }
}

/** As an int64 of a message. */
export function toLong(value: bigint): Long {
  return Long.fromString(value.toString());
}
