/**
 * What something costs this process while it goes on.
 *
 * @module
 */

import { readFileSync } from "node:fs";

const mebibyte = 2 ** 20;

/** How often to look, in milliseconds. A stall is known to within as much. */
const intervalMs = 5;

/** The longest stall that anything hostile may cause, in milliseconds. */
export const maxStallMs = 200;

/**
 * Samples the memory in use and the delay of a timer. Each getter takes a sample of its own first, so that a stall that has not
 * ended, or memory that was just taken, counts as well: `monitorEventLoopDelay` would report such a stall only after its end.
 */
export class ResourceWatch implements Disposable {
  readonly #before = usedBytes();
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  #lastTick = clocks();
  #maxBytes = 0;
  #stallMs = 0;

  constructor() {
    this.#timer = setInterval(() => {
      this.#sample();
      this.#lastTick = clocks();
    }, intervalMs);
  }

  /** The time since the beginning, in milliseconds. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** The largest growth of the heap and of the memory outside of it that hangs on it, in MiB. */
  get mebibytes(): number {
    this.#sample();
    return this.#maxBytes / mebibyte;
  }

  /**
   * The longest time for which the event loop ran no timers, in milliseconds.
   *
   * Of that time only what this thread spent on a processor counts. A thread that the machine keeps waiting cannot be told from one
   * that works by wall-clock time, and the machines that run these tests do other things at the same time.
   */
  get stallMs(): number {
    this.#sample();
    return this.#stallMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const now = clocks();
    const elapsedMs = Math.min(now.wallMs - this.#lastTick.wallMs, now.cpuMs - this.#lastTick.cpuMs);
    this.#stallMs = Math.max(this.#stallMs, elapsedMs);
    this.#maxBytes = Math.max(this.#maxBytes, usedBytes() - this.#before);
  }
}

function clocks(): { wallMs: number; cpuMs: number } {
  return { wallMs: performance.now(), cpuMs: threadCpuMs() ?? processCpuMs() };
}

/** The time of this thread on a processor, in milliseconds. Linux only: Node.js can tell it since version 23.9. */
function threadCpuMs(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [nanoseconds] = readFileSync("/proc/thread-self/schedstat", "latin1").split(" ");
  return Number(nanoseconds) / 1e6;
}

/** The time of all threads, those of the garbage collector included. */
function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
