import { type LinkedAbort, linkAbort, NoLongerNeeded } from "./abort.js";

/**
 * Opens the source of a stream: an iterable that yields items in batches. When the signal aborts, it stops and releases its
 * resources.
 */
export type BatchSource<T> = (signal: AbortSignal) => AsyncIterable<readonly T[]>;

/** Starts a time limit. Calls back with an error when the time is over. The returned function stops it. */
export type TimeLimit = (expire: (reason: unknown) => void) => () => void;

/** A pending request for the next batch. */
interface Waiter<T> {
  resolve(batch: readonly T[] | undefined): void;
  reject(reason: unknown): void;
}

/**
 * A stream of items that arrive over time. It can be iterated once: `for await (const item of stream)`.
 *
 * The stream opens its source on the first read. Leaving the loop, {@link close} and `await using` end the stream without an
 * error. An aborted signal makes the loop throw `signal.reason`. Both work during a read and close the source. A time limit
 * counts from the first read.
 */
export class CriStream<T> implements AsyncIterable<T>, AsyncDisposable {
  readonly #open: BatchSource<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #limit: TimeLimit | undefined;
  #stopLimit: (() => void) | undefined;
  #isIterated = false;
  #ended = false;
  /** The error for the next read, if no read was pending when it occurred. */
  #failure: { readonly reason: unknown } | undefined;
  #link: LinkedAbort | undefined;
  #source: AsyncIterator<readonly T[]> | undefined;
  #waiter: Waiter<T> | undefined;
  /** Settles when the source is closed. */
  #closed: Promise<unknown> | undefined;
  #batch: readonly T[] = [];
  #index = 0;

  /** @internal */
  constructor(open: BatchSource<T>, signal?: AbortSignal | undefined, limit?: TimeLimit | undefined) {
    this.#open = open;
    this.#signal = signal;
    this.#limit = limit;
  }

  /** Iterates over the items. @throws TypeError if the stream has been iterated before */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this.#iterate(() => this.#next());
  }

  /**
   * Iterates over batches of items as they arrive, never empty ones. This is faster for very many items, because it needs one
   * promise per batch instead of one per item. A stream can be iterated once, either by items or by batches.
   *
   * @throws TypeError if the stream has been iterated before
   */
  batches(): AsyncIterable<readonly T[]> {
    const iterator = this.#iterate(async () => {
      const value = await this.#nextBatch();
      return value ? { done: false, value } : { done: true, value: undefined };
    });
    return { [Symbol.asyncIterator]: () => iterator };
  }

  /** Ends the stream and a loop that waits for an item. Resolves when the source is closed. Further calls have no effect. */
  async close(): Promise<void> {
    this.#end();
    this.#failure = undefined;
    await this.#closed;
  }

  /** Does the same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #iterate<R>(next: () => Promise<IteratorResult<R, undefined>>): AsyncIterator<R, undefined> {
    if (this.#isIterated) throw new TypeError("This stream has been iterated before: it can be read only once.");
    this.#isIterated = true;
    const end = async () => {
      await this.close();
      return { done: true as const, value: undefined };
    };
    return { next, return: end };
  }

  #next(): Promise<IteratorResult<T, undefined>> {
    if (this.#index < this.#batch.length) {
      return Promise.resolve({ done: false, value: this.#batch[this.#index++] as T });
    }
    return this.#refill();
  }

  async #refill(): Promise<IteratorResult<T, undefined>> {
    const batch = await this.#nextBatch();
    if (!batch) return { done: true, value: undefined };
    this.#batch = batch;
    this.#index = 1;
    return { done: false, value: batch[0] as T };
  }

  #nextBatch(): Promise<readonly T[] | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiter) throw new TypeError("The previous read of this stream has not finished.");
      this.#waiter = { resolve, reject };
      if (this.#ended) this.#settleEnd();
      else if (this.#source) this.#pull(this.#source);
      else this.#start();
    });
  }

  #start(): void {
    if (this.#signal?.aborted) {
      this.#end({ reason: this.#signal.reason });
      return;
    }
    this.#link = linkAbort(this.#signal);
    const { signal } = this.#link;
    signal.addEventListener("abort", () => this.#end({ reason: signal.reason }), { once: true });
    this.#stopLimit = this.#limit?.((reason) => this.#end({ reason }));
    this.#source = this.#open(signal)[Symbol.asyncIterator]();
    this.#pull(this.#source);
  }

  #pull(source: AsyncIterator<readonly T[]>): void {
    source.next().then(
      ({ done, value }) => {
        if (this.#ended) return;
        if (done) this.#end();
        else if (value.length === 0) this.#pull(source);
        else this.#takeWaiter()?.resolve(value);
      },
      (reason) => this.#end({ reason }),
    );
  }

  /** Returns the pending read, if any, and removes it, so that it is settled only once. */
  #takeWaiter(): Waiter<T> | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }

  /** Settles the pending read: the first one after a failure rejects with the error, all others report the end of the stream. */
  #settleEnd(): void {
    const waiter = this.#takeWaiter();
    if (!waiter) return;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) waiter.reject(failure.reason);
    else waiter.resolve(undefined);
  }

  #end(failure?: { readonly reason: unknown }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    // Discards items that have arrived and were not read.
    this.#batch = [];
    this.#index = 0;
    this.#stopLimit?.();
    this.#link?.unlink();
    this.#link?.abort(new NoLongerNeeded("The stream was closed."));
    this.#closed = Promise.resolve(this.#source?.return?.()).catch(() => {});
    this.#settleEnd();
  }
}
