import { setTimeout as sleep } from "node:timers/promises";
import { type Api, results, tasks } from "../src/api/api.js";
import { Informer } from "../src/api/informer.js";
import type { NodeTask, NodeTaskResult } from "../src/api/types.js";

/** Watches tasks and results as a user would, and measures when changes arrive. Adds two watches to the load. */
export class Observer implements AsyncDisposable {
  readonly #tasks: Informer<NodeTask>;
  readonly #results: Informer<NodeTaskResult>;
  /** When a result first said that its pod is ready, in milliseconds since the epoch, by the name of the result. */
  readonly readyAt = new Map<string, number>();
  /** The time from the end of a container until its result was seen, in milliseconds, by the name of the result. */
  readonly reportMs = new Map<string, number>();

  constructor(api: Api) {
    const onError = () => {};
    this.#tasks = new Informer(api, tasks, { onError, onChange: () => {} });
    this.#results = new Informer(api, results, { onError, onChange: (result) => this.#see(result) });
    this.#tasks.start();
    this.#results.start();
  }

  task(key: string): NodeTask | undefined {
    return this.#tasks.get(key);
  }

  /** The mean sizes of all objects, in JSON. */
  sizes(): { resultBytes: number; taskBytes: number } {
    const mean = (objects: readonly object[]) =>
      objects.reduce((sum, object) => sum + Buffer.byteLength(JSON.stringify(object)), 0) / objects.length;
    return { resultBytes: mean(this.#results.all()), taskBytes: mean(this.#tasks.all()) };
  }

  get isEmpty(): boolean {
    return this.#tasks.all().length + this.#results.all().length === 0;
  }

  /** Resolves when the test passes. */
  async until(what: string, test: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
    for (const deadline = Date.now() + limitMs; !(await test()); await sleep(20)) {
      if (Date.now() > deadline) throw new Error(`not reached within ${limitMs / 1_000} s: ${what}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#tasks.stop(), this.#results.stop()]);
  }

  #see({ metadata, status }: NodeTaskResult): void {
    const name = metadata?.name ?? "";
    if (status?.ready && !this.readyAt.has(name)) this.readyAt.set(name, Date.now());
    if (status?.finishedAt === undefined || this.reportMs.has(name)) return;
    this.reportMs.set(name, Date.now() - Date.parse(status.finishedAt));
  }
}
