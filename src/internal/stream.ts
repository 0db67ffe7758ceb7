import { type LinkedAbort, linkAbort } from "./abort.js";

/**
 * Opens what a stream reads: an iteration that yields items in batches, stops when the signal aborts, and closes behind
 * itself.
 */
export type BatchSource<T> = (signal: AbortSignal) => AsyncIterable<readonly T[]>;

/** Starts a time limit. Calls back with the error when the time is up; the returned function stops it. */
export type TimeLimit = (expire: (reason: unknown) => void) => () => void;

/** Someone who waits for the next batch. */
interface Waiter<T> {
  resolve(batch: readonly T[] | undefined): void;
  reject(reason: unknown): void;
}

/**
 * Items that arrive over time. It can be iterated once: `for await (const item of stream)`.
 *
 * Nothing is opened before the first item is asked for. Leaving the loop, {@link close} and `await using` end the stream
 * cleanly, an aborted signal makes the loop throw `signal.reason`; both also in the middle of a read, and whatever was open is
 * closed. A time limit counts from the first read.
 */
export class CriStream<T> implements AsyncIterable<T>, AsyncDisposable {
  readonly #open: BatchSource<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #limit: TimeLimit | undefined;
  #stopLimit: (() => void) | undefined;
  #taken = false;
  #ended = false;
  /** What the next one to ask is to hear, when nobody was waiting at the time. */
  #failure: { readonly reason: unknown } | undefined;
  #link: LinkedAbort | undefined;
  #source: AsyncIterator<readonly T[]> | undefined;
  #waiter: Waiter<T> | undefined;
  /** Settles when the source has closed what it opened. */
  #closed: Promise<unknown> | undefined;
  #batch: readonly T[] = [];
  #index = 0;

  /** @internal */
  constructor(open: BatchSource<T>, signal?: AbortSignal | undefined, limit?: TimeLimit | undefined) {
    this.#open = open;
    this.#signal = signal;
    this.#limit = limit;
  }

  /** The items one by one. @throws TypeError when the stream has been iterated before */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this.#take(() => this.#next());
  }

  /**
   * The items in groups as they arrive, never an empty one: for those who handle so many that a promise for each of them counts.
   * It is the one iteration the stream has, instead of the plain one.
   *
   * @throws TypeError when the stream has been iterated before
   */
  batches(): AsyncIterable<readonly T[]> {
    const iterator = this.#take(async () => {
      const value = await this.#nextBatch();
      return value ? { done: false, value } : { done: true, value: undefined };
    });
    return { [Symbol.asyncIterator]: () => iterator };
  }

  /** Ends the stream: a loop that waits for an item ends. Resolves when everything is closed; may be called again. */
  async close(): Promise<void> {
    this.#end();
    this.#failure = undefined;
    await this.#closed;
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take<R>(next: () => Promise<IteratorResult<R, undefined>>): AsyncIterator<R, undefined> {
    if (this.#taken) throw new TypeError("This stream has been iterated before: it can be read only once.");
    this.#taken = true;
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
      if (this.#waiter) throw new TypeError("The previous item of this stream is still being waited for.");
      this.#waiter = { resolve, reject };
      if (this.#ended) this.#answerEnd();
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
        else this.#answer()?.resolve(value);
      },
      (reason) => this.#end({ reason }),
    );
  }

  /** Takes the waiter out: it hears one thing only. */
  #answer(): Waiter<T> | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }

  /** Tells whoever waits that the stream is over; a failure is told once. */
  #answerEnd(): void {
    const waiter = this.#answer();
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
    // Items that are here already must not outlive an abort.
    this.#batch = [];
    this.#index = 0;
    this.#stopLimit?.();
    this.#link?.unlink();
    this.#link?.abort(new DOMException("The stream was closed.", "AbortError"));
    this.#closed = Promise.resolve(this.#source?.return?.()).catch(() => {});
    this.#answerEnd();
  }
}
