import { sleep, startTimer } from "../../internal/timer.js";
import { Long } from "../../proto.js";

/** The clock of a runtime, which drives all its timers. */
export interface Clock {
  /** Returns the time in nanoseconds since the epoch. Every result is later than the one before. */
  now(): bigint;
  /** Waits for a delay. Rejects with the signal's reason as soon as it aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls a function once after a delay. Returns a function that stops the timer. */
  startTimer(delayMs: number, callback: () => void): () => void;
}

/** The clock of this machine. */
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

/** Converts a number to an int64 of a message. */
export function toLong(value: bigint): Long {
  return Long.fromString(value.toString());
}
