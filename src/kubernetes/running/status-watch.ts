import { CriError } from "../../errors.js";
import { checkOptions, checkSignal, checkTimeout, type FieldsOf } from "../../input/call-options.js";
import { linkAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";

/** Options of waiting for a running pod. Without any, the wait has no limit. */
export interface WaitPodOptions {
  /** The time limit in milliseconds; 0 for none. @defaultValue none */
  timeoutMs?: number | undefined;
  /** Ends the wait: it rejects with the reason of the signal. The pod keeps running. */
  signal?: AbortSignal | undefined;
}

const waitFields: FieldsOf<WaitPodOptions> = { timeoutMs: true, signal: true };

/** Waits for conditions that are checked again after each change. */
export class StatusWatch {
  readonly #listeners = new Set<() => void>();

  /** Reports a change. */
  changed = (): void => {
    for (const listener of [...this.#listeners]) listener();
  };

  /** Calls back after each change, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits until the check returns a value, or throws.
   *
   * @param describe returns the message of the error at the time limit, without the limit
   */
  async until<T>(check: () => T | undefined, describe: () => string, options: WaitPodOptions = {}): Promise<T> {
    checkOptions(options, waitFields);
    const { timeoutMs, signal } = options;
    checkTimeout(timeoutMs, "timeoutMs");
    checkSignal(signal, "signal");
    const link = linkAbort(signal);
    const stopTimer = timeoutMs
      ? startTimer(timeoutMs, () => {
          const message = `${describe()} within ${timeoutMs} ms`;
          link.abort(new CriError({ code: "DEADLINE_EXCEEDED", message }));
        })
      : () => {};
    let listener = () => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        if (link.signal.aborted) return reject(link.signal.reason);
        link.signal.addEventListener("abort", () => reject(link.signal.reason), { once: true });
        listener = () => {
          try {
            const value = check();
            if (value !== undefined) resolve(value);
          } catch (error) {
            reject(error);
          }
        };
        this.#listeners.add(listener);
        listener();
      });
    } finally {
      this.#listeners.delete(listener);
      stopTimer();
      link.unlink();
    }
  }
}
