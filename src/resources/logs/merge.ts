import { onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import type { LogEntry } from "../../logs/entry.js";
import { compareInstants, parseInstant } from "../../logs/timestamp.js";

/** Most entries that are given out at once. */
const maxBatch = 1_000;

/** One log among several: at most one batch of it is in memory. */
class Lane<E extends LogEntry> {
  #batch: readonly E[] = [];
  #index = 0;
  #taken = () => {};
  /** When the batch came, or the last one was used up. */
  since = performance.now();

  get head(): E | undefined {
    return this.#batch[this.#index];
  }

  take(): E {
    const entry = this.#batch[this.#index++] as E;
    if (this.#index === this.#batch.length) {
      this.since = performance.now();
      this.#taken();
    }
    return entry;
  }

  /** Reads the log; each batch is given out before the next one is asked for. */
  async read(batches: AsyncIterable<readonly E[]>, changed: () => void): Promise<void> {
    for await (const batch of batches) {
      this.#batch = batch;
      this.#index = 0;
      this.since = performance.now();
      const taken = new Promise<void>((resolve) => {
        this.#taken = resolve;
      });
      changed();
      await taken;
    }
  }
}

/**
 * Merges logs by their timestamps. Logs that are read to their end come out in order. Of logs that are followed, an entry is held
 * back for a moment, so that one with an earlier timestamp can still come from another log; what comes later than that
 * is late.
 */
export class LogMerge<E extends LogEntry> {
  readonly #windowMs: number;
  readonly #signal: AbortSignal;
  readonly #lanes = new Set<Lane<E>>();
  #failure: { readonly reason: unknown } | undefined;
  #changed = false;
  #wake = () => {};

  /** @param windowMs how long an entry is held back while some log has none; Infinity waits for it or its end */
  constructor(windowMs: number, signal: AbortSignal) {
    this.#windowMs = windowMs;
    this.#signal = signal;
  }

  /** How many logs have not ended. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Takes another log in. */
  add(batches: AsyncIterable<readonly E[]>): void {
    const lane = new Lane<E>();
    this.#lanes.add(lane);
    const changed = () => {
      this.#changed = true;
      this.#wake();
    };
    lane
      .read(batches, changed)
      .catch((reason: unknown) => {
        this.#failure ??= { reason };
      })
      .finally(() => {
        this.#lanes.delete(lane);
        changed();
      });
  }

  /** The entries that can be given out by now; waits for some, or for a change, no longer than that. */
  async next(atMostMs: number): Promise<readonly E[]> {
    if (this.#failure) throw this.#failure.reason;
    const entries: E[] = [];
    let waitMs = atMostMs;
    while (entries.length < maxBatch) {
      const first = this.#first();
      if (!first) break;
      waitMs = this.#holdMs(first);
      if (waitMs > 0) break;
      entries.push(first.take());
    }
    // What follows on the last entry of a batch may be here in the next turn.
    if (entries.length === 0) await this.#change(Math.min(waitMs, atMostMs));
    return entries;
  }

  #first(): Lane<E> | undefined {
    let first: Lane<E> | undefined;
    for (const lane of this.#lanes) {
      if (lane.head && (!first?.head || isBefore(lane.head.timestamp, first.head.timestamp))) first = lane;
    }
    return first;
  }

  /** How long the first entry is to be held back: until others can have come. */
  #holdMs(first: Lane<E>): number {
    let until = 0;
    for (const lane of this.#lanes) if (!lane.head) until = Math.max(until, lane.since + this.#windowMs);
    if (until === 0) return 0;
    // Written just now, others may have written at the same time; a clock that is ahead must not hold it for long.
    const ageMs = Date.now() - Date.parse(first.head?.timestamp ?? "");
    const young = Math.min(this.#windowMs - ageMs, first.since + this.#windowMs - performance.now());
    return Math.max(until - performance.now(), young, 0);
  }

  /** Waits for something new, or for the time when an entry can be given out. */
  async #change(ms: number): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        const done = () => {
          stopTimer();
          stopListening();
          resolve();
        };
        const stopTimer = startTimer(ms, done);
        const stopListening = onAbort(this.#signal, done);
        this.#wake = done;
      });
      this.#signal.throwIfAborted();
    }
    this.#changed = false;
  }
}

/** Timestamps have nine digits: in one zone they compare as texts. */
function isBefore(a: string, b: string): boolean {
  if (a.length === b.length && a.endsWith(b.slice(29))) return a < b;
  const [left, right] = [parseInstant(a), parseInstant(b)];
  return left !== undefined && right !== undefined && compareInstants(left, right) < 0;
}
