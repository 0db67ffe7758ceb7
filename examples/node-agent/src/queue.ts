export interface QueueOptions {
  work(key: string): Promise<void>;
  onError(key: string, error: unknown): void;
  /** How many keys are worked on at the same time. */
  workers: number;
  /** How long the additions of a key are collected before it is worked on, in milliseconds. */
  delayMs?: number;
}

/**
 * A work queue of keys, as Kubernetes controllers have: a key that is added many times waits once, is never worked on twice at the
 * same time, and is tried again after a failure.
 */
export class Queue {
  /** When each waiting key is due, in milliseconds since the epoch. */
  readonly #due = new Map<string, number>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly options: QueueOptions) {}

  /** The number of keys that wait or are worked on. */
  get size(): number {
    return new Set([...this.#due.keys(), ...this.#running.keys()]).size;
  }

  /** Works on the key soon, or at a time. An earlier time wins. */
  add(key: string, at: number = Date.now() + (this.options.delayMs ?? 0)): void {
    if (this.#isClosed) return;
    this.#due.set(key, Math.min(at, this.#due.get(key) ?? Number.POSITIVE_INFINITY));
    this.#schedule();
  }

  /** Begins no more work, and resolves when the work in progress has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#due.clear();
    await Promise.all(this.#running.values());
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const free = [...this.#due].filter(([key]) => !this.#running.has(key));
    if (this.#isClosed || free.length === 0 || this.#running.size >= this.options.workers) return;
    const soonest = Math.min(...free.map(([, at]) => at));
    this.#timer = setTimeout(() => this.#start(), Math.min(Math.max(soonest - Date.now(), 0), 2 ** 31 - 1));
  }

  #start(): void {
    const due = [...this.#due].filter(([key, at]) => at <= Date.now() && !this.#running.has(key));
    for (const [key] of due.slice(0, this.options.workers - this.#running.size)) {
      this.#due.delete(key);
      this.#running.set(key, this.#work(key));
    }
    this.#schedule();
  }

  async #work(key: string): Promise<void> {
    try {
      await this.options.work(key);
      this.#failures.delete(key);
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      this.options.onError(key, error);
      // From half a second to half a minute, so that many agents do not come back at the same time.
      const delayMs = Math.min(500 * 2 ** (failures - 1), 30_000);
      this.add(key, Date.now() + delayMs * (0.5 + Math.random() / 2));
    } finally {
      this.#running.delete(key);
      this.#schedule();
    }
  }
}
