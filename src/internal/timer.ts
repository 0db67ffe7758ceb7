import { onAbort } from "./abort.js";

/** Node.js fires a timer with a longer delay at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Calls a function after a delay, which may be longer than the 24.8 days of `setTimeout`. Returns a function that stops the
 * timer.
 */
export function startTimer(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number) => {
    const step = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > step ? arm(leftMs - step) : callback()), step);
  };
  arm(Math.max(0, delayMs));
  return () => clearTimeout(timer);
}

/**
 * Waits for a delay. Rejects with the signal's reason as soon as it aborts. Removes its timer and its listener in both cases.
 *
 * @param start starts the timer, for callers with a clock of their own
 */
export function sleep(delayMs: number, signal?: AbortSignal, start = startTimer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stopTimer = start(delayMs, () => {
      stopListening?.();
      resolve();
    });
    const stopListening =
      signal &&
      onAbort(signal, () => {
        stopTimer();
        reject(signal.reason);
      });
  });
}

/** Waits for a promise, but no longer than the delay. Rejects if the promise rejects first. */
export function waitAtMost(delayMs: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopTimer = startTimer(delayMs, resolve);
    promise.finally(stopTimer).then(() => resolve(), reject);
  });
}
