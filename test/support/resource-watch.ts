/**
 * Measures time, memory and event loop stalls of this process.
 *
 * @module
 */

import { readFileSync } from "node:fs";

const mebibyte = 2 ** 20;

/** The sampling interval in milliseconds, which is also the precision of stalls. */
const intervalMs = 5;

/** The longest stall that a hostile peer may cause, in milliseconds. */
export const maxStallMs = 200;

/**
 * Samples the used memory and the delay of a timer. Each getter takes a sample first, so that it includes a stall that has not
 * ended and memory that was just allocated. `monitorEventLoopDelay` would report a stall only after its end.
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

  /** The time since construction, in milliseconds. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** The largest growth of the heap and of external memory that heap objects reference, in MiB. */
  get mebibytes(): number {
    this.#sample();
    return this.#maxBytes / mebibyte;
  }

  /**
   * The longest time for which the event loop ran no timers, in milliseconds.
   *
   * Counts CPU time of this thread only. By wall-clock time, a thread that waits for a CPU looks like one that computes, and test
   * machines are busy with other processes.
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

/** Returns the CPU time of this thread in milliseconds. Linux only, because Node.js provides it only since version 23.9. */
function threadCpuMs(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [nanoseconds] = readFileSync("/proc/thread-self/schedstat", "latin1").split(" ");
  return Number(nanoseconds) / 1e6;
}

/** Returns the CPU time of all threads in milliseconds, including those of the garbage collector. */
function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
