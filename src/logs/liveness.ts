import { onAbort } from "../internal/abort.js";
import type { FileWatch } from "./file-watch.js";
import type { ReadSettings } from "./read-options.js";

/** How long an answer counts, in milliseconds. */
const answerCountsMs = 1_000;

/** How long after `until` lines from before it may still come, in milliseconds. */
const graceMs = 1_000;

/** What is known of who writes to a log. "asking" is until the caller's `isRunning` has answered. */
type Knowledge = "asking" | "running" | "over" | { readonly failure: unknown };

/**
 * Whether more can be expected of a log. That is asked in the background, no more than once a second, so that an answer that
 * takes long does not hold up what is written meanwhile.
 */
export class Liveness {
  readonly #settings: ReadSettings;
  readonly #signal: AbortSignal;
  #known: Knowledge = "running";
  #answeredAt = Number.NEGATIVE_INFINITY;
  #wake = () => {};

  constructor(settings: ReadSettings, signal: AbortSignal) {
    this.#settings = settings;
    this.#signal = signal;
  }

  /**
   * Waits for a change, once everything has been read; not for long, and not beyond an answer. Rejects as the caller's
   * `isRunning` does.
   *
   * @returns false, at once, when what is there by now is all that was asked for
   */
  async waitForMore(watch: FileWatch): Promise<boolean> {
    this.#signal.throwIfAborted();
    // Before the question, which may be answered at once.
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
    if (typeof this.#known === "object") throw this.#known.failure;
    if (this.#known === "over") return false;
    if (until && Date.now() > until.seconds * 1_000 + until.nanoseconds / 1e6 + graceMs) return false;
    if (this.#known === "running" && performance.now() - this.#answeredAt >= answerCountsMs) void this.#ask();
    return true;
  }

  /** Never rejects: a failure is kept for who asks next, if there still is someone. */
  async #ask(): Promise<void> {
    this.#known = "asking";
    try {
      this.#known = (await this.#settings.isRunning(this.#signal)) ? "running" : "over";
    } catch (failure) {
      this.#known = { failure };
    }
    this.#answeredAt = performance.now();
    this.#wake();
  }

  /** When to look again at the latest: in that many milliseconds. */
  get #pauseMs(): number {
    const sinceMs = this.#known === "asking" ? 0 : performance.now() - this.#answeredAt;
    return Math.min(this.#settings.pollIntervalMs, Math.max(1, answerCountsMs - sinceMs));
  }
}
