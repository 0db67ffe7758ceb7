import { sleep } from "../../../internal/timer.js";

/** The time as probes and hooks see it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Waits. Rejects with the signal's reason. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = { now: Date.now, sleep };
