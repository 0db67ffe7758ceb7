import { setImmediate } from "node:timers/promises";
import { onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import type { LogEntryBase } from "../../logs/entry.js";
import { compareInstants, parseInstant } from "../../logs/timestamp.js";

/** Most entries that are given out at once. */
const maxBatch = 1_000;

/** Opens a log, which says whenever all that was there has been read and it waits for more. */
export type OpenLog<Entry extends LogEntryBase> = (waits: () => void) => AsyncIterable<readonly Entry[]>;

/** One log among several: at most one batch of it is in memory. */
class Lane<Entry extends LogEntryBase, Owner extends object> {
  /** Which one it is, counted in the order in which they were taken in. */
  readonly ordinal: number;
  readonly #owner: Owner;
  #batch: readonly Entry[] | undefined;
  #index = 0;
  /** The batch has been given out. */
  release = () => {};
  /** Whether the log has been read to its end and waits for more. */
  isWaiting = false;
  #heldSince = Number.NEGATIVE_INFINITY;

  constructor(ordinal: number, owner: Owner) {
    this.ordinal = ordinal;
    this.#owner = owner;
  }

  get head(): Entry | undefined {
    return this.#batch?.[this.#index];
  }

  /** How long the batch has been held back, in milliseconds. Infinite for the rest of a backlog, which need not be. */
  get heldMs(): number {
    return performance.now() - this.#heldSince;
  }

  fill(batch: readonly Entry[]): Promise<void> {
    const isRecent = this.isWaiting || !this.#batch;
    this.#heldSince = isRecent ? performance.now() : Number.NEGATIVE_INFINITY;
    this.#batch = batch;
    this.#index = 0;
    this.isWaiting = false;
    return new Promise((resolve) => {
      this.release = resolve;
    });
  }

  take(): Entry & Owner {
    const entry = this.#batch?.[this.#index++] as Entry;
    // The entry is the reader's alone, so it need not be copied.
    return Object.assign(entry, this.#owner);
  }
}

/**
 * Merges logs by their timestamps. Lines of the same instant come in the order in which the logs were added. While a log is being
 * read, entries that may be later than its next one are held back. A new entry of a log is held back for the order window while
 * another log waits for more, because that one may have an earlier line that has not been read yet. The window is measured from
 * the time of reading: the timestamps are by the node's clock, which may differ from this machine's.
 */
export class LogMerge<Entry extends LogEntryBase, Owner extends object> {
  readonly #windowMs: number;
  readonly #signal: AbortSignal;
  readonly #lanes = new Map<Lane<Entry, Owner>, Promise<void>>();
  readonly #empty = new Set<Lane<Entry, Owner>>();
  /** Lanes with entries, the earliest at the end. */
  readonly #full: Lane<Entry, Owner>[] = [];
  #taken = 0;
  #failure: { readonly reason: unknown } | undefined;
  #changed = false;
  #wake = () => {};

  /** @param windowMs how long a new entry is held back while some log waits for more */
  constructor(windowMs: number, signal: AbortSignal) {
    this.#windowMs = windowMs;
    this.#signal = signal;
    onAbort(signal, () => {
      for (const lane of this.#lanes.keys()) lane.release();
    });
  }

  /** How many logs have not ended. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Takes another log in; `owner` is added to its entries. A failure is for `missed` to judge, who may throw it on. */
  add(open: OpenLog<Entry>, owner: Owner, missed: (error: unknown) => void): void {
    const lane = new Lane<Entry, Owner>(this.#taken++, owner);
    this.#empty.add(lane);
    this.stir();
    const reading = this.#read(lane, open)
      .catch(missed)
      .catch((reason: unknown) => this.fail(reason))
      .finally(() => {
        this.#lanes.delete(lane);
        this.#empty.delete(lane);
        this.stir();
      });
    this.#lanes.set(lane, reading);
  }

  /** Ends it all with an error. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.stir();
  }

  /** Has {@link next} look again. */
  stir(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Resolves when all logs are closed, after the signal was aborted or they have ended. */
  async closed(): Promise<void> {
    await Promise.all(this.#lanes.values());
  }

  /** The entries that can be given out by now, or none; waits for some, or for a change. */
  async next(): Promise<readonly (Entry & Owner)[]> {
    // A reader who never waits leaves the logs no time to come with what they have.
    await setImmediate();
    this.#signal.throwIfAborted();
    if (this.#failure) throw this.#failure.reason;
    const entries: (Entry & Owner)[] = [];
    let holdMs = Number.POSITIVE_INFINITY;
    while (entries.length < maxBatch) {
      const lane = this.#full.at(-1);
      if (!lane) break;
      holdMs = this.#holdMs(lane);
      if (holdMs > 0) break;
      entries.push(lane.take());
      this.#full.pop();
      if (lane.head) this.#insert(lane);
      else this.#emptied(lane);
    }
    if (entries.length === 0) await this.#change(holdMs);
    return entries;
  }

  async #read(lane: Lane<Entry, Owner>, open: OpenLog<Entry>): Promise<void> {
    const waits = () => {
      lane.isWaiting = !lane.head;
      this.stir();
    };
    for await (const batch of open(waits)) {
      const taken = lane.fill(batch);
      this.#empty.delete(lane);
      this.#insert(lane);
      this.stir();
      await taken;
    }
  }

  #insert(lane: Lane<Entry, Owner>): void {
    let [low, high] = [0, this.#full.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isFirst(lane, this.#full[middle] as Lane<Entry, Owner>)) low = middle + 1;
      else high = middle;
    }
    this.#full.splice(low, 0, lane);
  }

  #emptied(lane: Lane<Entry, Owner>): void {
    this.#empty.add(lane);
    lane.release();
  }

  /** How long the first entry is to be held back: until no other can come before it. */
  #holdMs(first: Lane<Entry, Owner>): number {
    if (this.#empty.size === 0) return 0;
    for (const { isWaiting } of this.#empty) if (!isWaiting) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#windowMs - first.heldMs);
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

/** Which of two is to be given out first. Of the same instant, that is the one that was taken in first, however they were read. */
function isFirst<Entry extends LogEntryBase, Owner extends object>(
  lane: Lane<Entry, Owner>,
  other: Lane<Entry, Owner>,
): boolean {
  const [own, others] = [lane.head?.timestamp ?? "", other.head?.timestamp ?? ""];
  return isBefore(own, others) || (lane.ordinal < other.ordinal && !isBefore(others, own));
}

/** Timestamps have nine digits: in one zone they compare as texts. */
function isBefore(a: string, b: string): boolean {
  if (a.length === b.length && a.endsWith(b.slice(29))) return a < b;
  const [left, right] = [parseInstant(a), parseInstant(b)];
  return left !== undefined && right !== undefined && compareInstants(left, right) < 0;
}
