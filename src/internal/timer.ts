import { onAbort } from "./abort.js";

/** Node.js fires a timer beyond this at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Calls back after any span of time, beyond the 24.8 days of a plain timer too. Returns the function that stops it. */
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
 * Waits; rejects with the signal's reason as soon as it aborts, and leaves neither timer nor listener behind.
 *
 * @param start starts the timer, for those who have a time of their own
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
