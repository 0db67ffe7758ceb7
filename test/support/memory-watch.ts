/**
 * How much memory something takes while it goes on.
 *
 * @module
 */

const mebibyte = 2 ** 20;

/** Looks again and again, since what matters is the most that was in use at any time. */
export class MemoryWatch implements Disposable {
  readonly #before = used();
  readonly #timer: NodeJS.Timeout;
  #most = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), 5);
  }

  /** By how much the heap, and what hangs on it outside, has grown at most, in MiB. */
  get mebibytes(): number {
    this.#look();
    return this.#most;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#most = Math.max(this.#most, (used() - this.#before) / mebibyte);
  }
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
