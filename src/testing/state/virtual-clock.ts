import { setImmediate as nextTurn } from "node:timers/promises";
import { sleep } from "../../internal/timer.js";
import type { Clock } from "./clock.js";

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * The number of turns of the event loop to wait for the effects of a timer. A container's last output passes through streams and
 * promises.
 */
const turnsToSettle = 5;

/** A clock that starts at this machine's time and runs only in {@link advance}. */
export class VirtualClock implements Clock {
  readonly #origin = BigInt(Date.now()) * 1_000_000n;
  /** The pending timers, in the order in which they were started. */
  readonly #timers = new Set<Timer>();
  #elapsedMs = 0;
  #last = 0n;
  #advancing: Promise<void> = Promise.resolve();

  now(): bigint {
    const now = this.#origin + BigInt(Math.round(this.#elapsedMs * 1e6));
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleep(delayMs, signal, (ms, callback) => this.startTimer(ms, callback));
  }

  /** Starts a timer. A timer without a delay fires without {@link advance}. */
  startTimer(delayMs: number, callback: () => void): () => void {
    if (!(delayMs > 0)) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = { dueMs: this.#elapsedMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /**
   * Advances the clock. Timers fire in the order of their time, and `now` returns that time. The effects of a timer complete
   * before the next one fires, unless they wait for the network or a process.
   */
  advance(ms: number): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advance(ms));
    return this.#advancing;
  }

  async #advance(ms: number): Promise<void> {
    await settle();
    const end = this.#elapsedMs + ms;
    for (let timer = this.#nextUntil(end); timer; timer = this.#nextUntil(end)) {
      this.#elapsedMs = timer.dueMs;
      this.#timers.delete(timer);
      timer.callback();
      await settle();
    }
    this.#elapsedMs = end;
  }

  #nextUntil(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= end && (!next || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turnsToSettle; turn++) await nextTurn();
}
