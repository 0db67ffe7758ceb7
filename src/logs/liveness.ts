import { onAbort } from "../internal/abort.js";
import type { FileWatch } from "./file-watch.js";
import type { FileState } from "./log-file.js";
import type { IsRunning, ReadSettings } from "./read-settings.js";

/** How long a result of `isRunning` is valid, in milliseconds. */
const answerValidMs = 1_000;

/** How long after `until` the reader still waits for lines with earlier timestamps, in milliseconds. */
const graceMs = 1_000;

/** The state of a log's writer; "pending" during a call of `isRunning`. */
type WriterState = "pending" | "running" | "ended" | { readonly failure: unknown };

/**
 * Decides whether more lines of a log are expected. Calls `isRunning` in the background, at most once a second, so that the
 * reader continues to read while the promise is pending.
 */
export class Liveness {
  readonly #settings: ReadSettings;
  readonly #signal: AbortSignal;
  #writer: WriterState = "running";
  #answeredAt = Number.NEGATIVE_INFINITY;
  #wake = () => {};

  constructor(settings: ReadSettings, signal: AbortSignal) {
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Makes the signals end a wait, until the returned function is called: that of the reader, and that of the writer's end. */
  listen(): () => void {
    const { writerEnded } = this.#settings;
    const wake = () => this.#wake();
    const stop = onAbort(this.#signal, wake);
    const stopWriter = writerEnded && onAbort(writerEnded, wake);
    return () => {
      stop();
      stopWriter?.();
    };
  }

  /**
   * Waits until the log may have changed or `isRunning` settles, at most for the polling interval unless events suffice. Must be
   * called after everything was read, and after {@link listen}. Rejects with the error of `isRunning`.
   *
   * @param read the state of the file if its current end is the end of the log. Then the wait may have no limit
   * @returns false, without waiting, if no more lines are expected
   */
  async waitForMore(watch: FileWatch, read?: FileState): Promise<boolean> {
    this.#signal.throwIfAborted();
    // This comes before the call of `isRunning`, which may settle at once.
    this.#wake = () => watch.wake();
    if (!this.#expectsMore()) return false;
    this.#settings.onWait();
    if (read && watch.isReliable && !this.#settings.isRunning && !this.#settings.until) await watch.waitForEvent(read);
    else await watch.wait(this.#pauseMs);
    this.#signal.throwIfAborted();
    return true;
  }

  #expectsMore(): boolean {
    const { until, writerEnded } = this.#settings;
    if (writerEnded?.aborted) return false;
    if (typeof this.#writer === "object") throw this.#writer.failure;
    if (this.#writer === "ended") return false;
    if (until && Date.now() > until.seconds * 1_000 + until.nanoseconds / 1e6 + graceMs) return false;
    const { isRunning } = this.#settings;
    if (isRunning && this.#writer === "running" && performance.now() - this.#answeredAt >= answerValidMs) {
      void this.#poll(isRunning);
    }
    return true;
  }

  /** Calls `isRunning`. Never rejects: if the call fails, the next {@link waitForMore} throws the error. */
  async #poll(isRunning: IsRunning): Promise<void> {
    this.#writer = "pending";
    try {
      this.#writer = (await isRunning(this.#signal)) ? "running" : "ended";
    } catch (failure) {
      this.#writer = { failure };
    }
    this.#answeredAt = performance.now();
    this.#wake();
  }

  /** How long to wait at most, in milliseconds. */
  get #pauseMs(): number {
    const { isRunning, pollIntervalMs } = this.#settings;
    if (!isRunning) return pollIntervalMs;
    const sinceMs = this.#writer === "pending" ? 0 : performance.now() - this.#answeredAt;
    return Math.min(pollIntervalMs, Math.max(1, answerValidMs - sinceMs));
  }
}
