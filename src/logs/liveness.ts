import { onAbort } from "../internal/abort.js";
import type { ReadSettings } from "./read-options.js";

/** How long an answer counts, in milliseconds. */
const answerCountsMs = 1_000;

/** How long after `until` lines from before it may still come, in milliseconds. */
const graceMs = 1_000;

/** Whether more can be expected of a log. Asks no more than once a second. */
export class Liveness {
  readonly #settings: ReadSettings;
  readonly #signal: AbortSignal;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: ReadSettings, signal: AbortSignal) {
    this.#settings = settings;
    this.#signal = signal;
  }

  /** False when what is there by now is all that was asked for. Rejects as the caller's `isRunning` does. */
  async expectsMore(): Promise<boolean> {
    const { until, isRunning } = this.#settings;
    if (until && Date.now() > until.seconds * 1_000 + until.nanoseconds / 1e6 + graceMs) return false;
    if (performance.now() - this.#askedAt < answerCountsMs) return true;
    const running = await unlessAborted(isRunning(this.#signal), this.#signal);
    this.#askedAt = performance.now();
    return running;
  }

  /** When to ask again at the latest: in that many milliseconds. */
  get pauseMs(): number {
    const sinceAskedMs = performance.now() - this.#askedAt;
    return Math.min(this.#settings.pollIntervalMs, Math.max(1, answerCountsMs - sinceAskedMs));
  }
}

/** What a promise gives, unless the signal aborts first: not everyone who is given a signal heeds it. */
function unlessAborted<T>(value: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stopListening = onAbort(signal, () => reject(signal.reason));
    Promise.resolve(value).then(resolve, reject).finally(stopListening);
  });
}
