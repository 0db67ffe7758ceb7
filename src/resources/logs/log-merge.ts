import { setImmediate } from "node:timers/promises";
import { onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import type { LogEntryBase } from "../../logs/entry.js";
import { compareInstants, parseInstant } from "../../logs/timestamp.js";

/** The maximum number of entries that {@link LogMerge.next} returns. */
const maxBatch = 1_000;

/** Opens a log. The log calls `onWait` whenever it has been read to its current end and waits for more. */
export type OpenLog<Entry extends LogEntryBase> = (onWait: () => void) => AsyncIterable<readonly Entry[]>;

/** One of the merged logs. At most one batch of it is in memory. */
class Source<Entry extends LogEntryBase, Owner extends object> {
  /** The number of logs that were added before this one. */
  readonly index: number;
  readonly #owner: Owner;
  #batch: readonly Entry[] | undefined;
  #position = 0;
  /** Resolves the promise of {@link fill}: all entries of the batch were taken. */
  release = () => {};
  /** Whether the log has been read to its end and waits for more. */
  isWaiting = false;
  #heldSince = Number.NEGATIVE_INFINITY;

  constructor(index: number, owner: Owner) {
    this.index = index;
    this.#owner = owner;
  }

  get head(): Entry | undefined {
    return this.#batch?.[this.#position];
  }

  /** How long the batch has been held back, in milliseconds. `Infinity` for lines of a backlog, which are not held back. */
  get heldMs(): number {
    return performance.now() - this.#heldSince;
  }

  fill(batch: readonly Entry[]): Promise<void> {
    const isRecent = this.isWaiting || !this.#batch;
    this.#heldSince = isRecent ? performance.now() : Number.NEGATIVE_INFINITY;
    this.#batch = batch;
    this.#position = 0;
    this.isWaiting = false;
    return new Promise((resolve) => {
      this.release = resolve;
    });
  }

  take(): Entry & Owner {
    const entry = this.#batch?.[this.#position++] as Entry;
    // Nothing else uses the entry, so it need not be copied.
    return Object.assign(entry, this.#owner);
  }
}

/**
 * Merges logs by their timestamps. Entries with equal timestamps are in the order in which their logs were added.
 *
 * An entry is held back while another log may have an earlier line that was not read yet:
 *
 * - without a limit while the other log is being read
 * - for the order window while the other log waits for more lines. Lines of a backlog are not held back for this reason
 *
 * The window is measured from the time of reading, because the timestamps are from the node's clock, which may differ from this
 * machine's.
 */
export class LogMerge<Entry extends LogEntryBase, Owner extends object> {
  readonly #windowMs: number;
  readonly #signal: AbortSignal;
  readonly #sources = new Map<Source<Entry, Owner>, Promise<void>>();
  readonly #empty = new Set<Source<Entry, Owner>>();
  /** Sources with entries, the earliest at the end. */
  readonly #ready: Source<Entry, Owner>[] = [];
  #added = 0;
  #failure: { readonly reason: unknown } | undefined;
  /** Whether {@link next} must check again for entries. */
  #changed = false;
  /** Whether {@link next} must return. */
  #isNotified = false;
  #wake = () => {};

  /** @param windowMs how long a new entry is held back while another log waits for more lines */
  constructor(windowMs: number, signal: AbortSignal) {
    this.#windowMs = windowMs;
    this.#signal = signal;
    onAbort(signal, () => {
      this.#recheck();
      for (const source of this.#sources.keys()) source.release();
    });
  }

  /** The number of logs that have not ended. */
  get size(): number {
    return this.#sources.size;
  }

  /**
   * Adds a log.
   *
   * @param owner is assigned to each of its entries
   * @param onError gets the error of a log that fails, and the log ends. If it throws, the merge fails
   */
  add(open: OpenLog<Entry>, owner: Owner, onError: (error: unknown) => void): void {
    const source = new Source<Entry, Owner>(this.#added++, owner);
    this.#empty.add(source);
    this.notify();
    const reading = this.#read(source, open)
      .catch(onError)
      .catch((reason: unknown) => this.fail(reason))
      .finally(() => {
        this.#sources.delete(source);
        this.#empty.delete(source);
        this.notify();
      });
    this.#sources.set(source, reading);
  }

  /** Makes {@link next} reject. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#recheck();
  }

  /** Ends the wait of {@link next}, which then returns. */
  notify(): void {
    this.#isNotified = true;
    this.#recheck();
  }

  /** Resolves when all logs are closed, after they have ended or the signal has aborted. */
  async closed(): Promise<void> {
    await Promise.all(this.#sources.values());
  }

  /** Waits for entries that need not be held back, and returns them. Returns an empty list after {@link notify}. */
  async next(): Promise<readonly (Entry & Owner)[]> {
    for (let hasRested = false; ; hasRested = true) {
      this.#signal.throwIfAborted();
      if (this.#failure) throw this.#failure.reason;
      const holdMs = this.#holdMs();
      if (holdMs > 0) {
        if (this.#isNotified) {
          this.#isNotified = false;
          return [];
        }
        await this.#waitForChange(holdMs);
      } else if (hasRested) {
        return this.#take();
      } else {
        // Lets the logs read their files, even if the caller never waits.
        await setImmediate();
      }
    }
  }

  #take(): readonly (Entry & Owner)[] {
    const entries: (Entry & Owner)[] = [];
    do {
      const source = this.#ready.pop() as Source<Entry, Owner>;
      entries.push(source.take());
      if (source.head) this.#insert(source);
      else this.#refill(source);
    } while (entries.length < maxBatch && this.#holdMs() <= 0);
    return entries;
  }

  async #read(source: Source<Entry, Owner>, open: OpenLog<Entry>): Promise<void> {
    const onWait = () => {
      source.isWaiting = !source.head;
      // Otherwise, nothing waits for this log.
      if (this.#ready.length > 0) this.#recheck();
    };
    for await (const batch of open(onWait)) {
      const { isWaiting } = source;
      const taken = source.fill(batch);
      this.#empty.delete(source);
      this.#insert(source);
      // Otherwise, the earliest entry is held back until the same time as before.
      if (!isWaiting || this.#empty.size === 0 || this.#ready.at(-1) === source) this.#recheck();
      await taken;
    }
  }

  #insert(source: Source<Entry, Owner>): void {
    let [low, high] = [0, this.#ready.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isEarlier(source, this.#ready[middle] as Source<Entry, Owner>)) low = middle + 1;
      else high = middle;
    }
    this.#ready.splice(low, 0, source);
  }

  #refill(source: Source<Entry, Owner>): void {
    this.#empty.add(source);
    source.release();
  }

  /** Returns how long to hold back the earliest entry: until no other log can have an earlier one. `Infinity` without entries. */
  #holdMs(): number {
    const earliest = this.#ready.at(-1);
    if (!earliest) return Number.POSITIVE_INFINITY;
    if (this.#empty.size === 0) return 0;
    for (const { isWaiting } of this.#empty) if (!isWaiting) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#windowMs - earliest.heldMs);
  }

  /** Makes {@link next} check again for entries. */
  #recheck(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Waits for {@link #recheck}, at most for this time. */
  async #waitForChange(ms: number): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        // A timer may fire a millisecond too early, and would then have to be started again.
        const stopTimer = ms < Number.POSITIVE_INFINITY ? startTimer(Math.ceil(ms) + 1, resolve) : undefined;
        this.#wake = () => {
          stopTimer?.();
          resolve();
        };
      });
    }
    this.#changed = false;
  }
}

/**
 * Returns whether the next entry of a source comes before that of another. With equal timestamps, the source that was added first
 * does.
 */
function isEarlier<Entry extends LogEntryBase, Owner extends object>(
  source: Source<Entry, Owner>,
  other: Source<Entry, Owner>,
): boolean {
  const [own, others] = [source.head?.timestamp ?? "", other.head?.timestamp ?? ""];
  return isBefore(own, others) || (source.index < other.index && !isBefore(others, own));
}

/** Compares timestamps with nine digits of the second. In one time zone, their strings sort by time. */
function isBefore(a: string, b: string): boolean {
  if (a.length === b.length && a.endsWith(b.slice(29))) return a < b;
  const [left, right] = [parseInstant(a), parseInstant(b)];
  return left !== undefined && right !== undefined && compareInstants(left, right) < 0;
}
