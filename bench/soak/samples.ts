/**
 * Samples of the resources of this process and of the node.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Tolerance } from "./verdict.js";

const mebibyte = 2 ** 20;

/** The number of objects on the node. */
export interface NodeCounts {
  pods: number;
  containers: number;
  /** Undefined if they cannot be counted. */
  processes: number | undefined;
}

/** The sampled quantities with their allowed growth. Quantities without a tolerance are reported and not judged. */
const quantities: Readonly<Record<string, Tolerance | undefined>> = {
  "heap used, MiB": { absolute: 2, relative: 0.1 },
  "external, MiB": { absolute: 4, relative: 0.1 },
  "RSS, MiB": { absolute: 16, relative: 0.1 },
  "open files": { absolute: 5, relative: 0.1 },
  pods: { absolute: 2, relative: 0.1 },
  containers: { absolute: 2, relative: 0.1 },
  processes: { absolute: 4, relative: 0.1 },
  "event loop delay p99, ms": undefined,
};

/** The tolerance for each kind of active resource, such as sockets and timers. */
const resourceTolerance: Tolerance = { absolute: 5, relative: 0.1 };

/** Returns the tolerance of a sampled quantity. */
export function toleranceOf(name: string): Tolerance | undefined {
  return Object.hasOwn(quantities, name) ? quantities[name] : resourceTolerance;
}

/** Takes samples and keeps them by quantity. */
export class Sampler implements Disposable {
  /** One value for each sample. */
  readonly series = new Map<string, number[]>();
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 });
  readonly #collect = garbageCollector();
  #count = 0;

  constructor() {
    this.#delay.enable();
  }

  take(node: NodeCounts): void {
    this.#collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    this.#note("heap used, MiB", heapUsed / mebibyte);
    this.#note("external, MiB", external / mebibyte);
    this.#note("RSS, MiB", rss / mebibyte);
    this.#note("open files", openFiles());
    for (const [name, count] of Object.entries(node)) this.#note(name, count);
    this.#note("event loop delay p99, ms", this.#delay.percentile(99) / 1e6);
    this.#delay.reset();
    this.#noteResources();
    this.#count++;
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }

  #note(name: string, value: number | undefined): void {
    if (value === undefined) return;
    const values = this.series.get(name);
    if (values) values.push(value);
    else this.series.set(name, [...Array.from({ length: this.#count }, () => 0), value]);
  }

  #noteResources(): void {
    const counts = activeResources();
    const known = [...this.series.keys()].filter((name) => name.startsWith("active "));
    for (const name of new Set([...known, ...counts.keys()])) this.#note(name, counts.get(name) ?? 0);
  }
}

/** Counts the resources that keep the process alive, by kind: `active TCPSocketWrap` and so on. */
export function activeResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    const name = `active ${kind}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Counts open files. Undefined if the system does not report them. */
function openFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}

/** Returns V8's garbage collector. Heap sizes are comparable only without garbage. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
