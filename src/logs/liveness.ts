import { onAbort } from "../internal/abort.js";
import type { FileWatch } from "./file-watch.js";
import type { ReadSettings } from "./read-settings.js";

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

  /**
   * Waits until the log may have changed or `isRunning` settles, at most for the polling interval. Must be called after
   * everything was read. Rejects with the error of `isRunning`.
   *
   * @returns false, without waiting, if no more lines are expected
   */
  async waitForMore(watch: FileWatch): Promise<boolean> {
    this.#signal.throwIfAborted();
    // This comes before the call of `isRunning`, which may settle at once.
    this.#wake = () => watch.wake();
    if (!this.#expectsMore()) return false;
    this.#settings.onWait();
    const { writerEnded } = this.#settings;
    const unlisten = writerEnded && onAbort(writerEnded, () => watch.wake());
    try {
      await watch.wait(this.#pauseMs, this.#signal);
    } finally {
      unlisten?.();
    }
    return true;
  }

  #expectsMore(): boolean {
    const { until, writerEnded } = this.#settings;
    if (writerEnded?.aborted) return false;
    if (typeof this.#writer === "object") throw this.#writer.failure;
    if (this.#writer === "ended") return false;
    if (until && Date.now() > until.seconds * 1_000 + until.nanoseconds / 1e6 + graceMs) return false;
    if (this.#writer === "running" && performance.now() - this.#answeredAt >= answerValidMs) void this.#poll();
    return true;
  }

  /** Calls `isRunning`. Never rejects: if the call fails, the next {@link waitForMore} throws the error. */
  async #poll(): Promise<void> {
    this.#writer = "pending";
    try {
      this.#writer = (await this.#settings.isRunning(this.#signal)) ? "running" : "ended";
    } catch (failure) {
      this.#writer = { failure };
    }
    this.#answeredAt = performance.now();
    this.#wake();
  }

  /** How long to wait at most, in milliseconds. */
  get #pauseMs(): number {
    const sinceMs = this.#writer === "pending" ? 0 : performance.now() - this.#answeredAt;
    return Math.min(this.#settings.pollIntervalMs, Math.max(1, answerValidMs - sinceMs));
  }
}
