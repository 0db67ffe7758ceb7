import { setTimeout as sleep } from "node:timers/promises";
import { type Change, type Counters, changeOf, differences } from "./counters.js";
import type { LargeCluster } from "./large-cluster.js";

/** What was counted while the cluster did one thing. */
export interface Phase {
  name: string;
  /** From the first request until the status says that everything is done. A phase without it has a fixed length. */
  convergedMs: number | undefined;
  change: Change;
  after: Counters;
  /** The most answers that all agents together got within a second. */
  peakPerSecond: number;
  /** The longest 99th percentile of a second, of all processes with agents. */
  loopDelayMs: number;
  /** What agents and the controller have complained about, by message. */
  troubles: Record<string, number>;
}

/** What comes after the status has said that all is done belongs to the phase. */
const settleMs = 3_000;

/** Counts until the work is done and has settled. */
export async function measure(cluster: LargeCluster, name: string, work: () => Promise<unknown>): Promise<Phase> {
  const { meter } = cluster;
  const before = await meter.read();
  const troublesBefore = await cluster.troubles();
  const poll = new Poll(cluster);
  const started = performance.now();
  await work().catch(async (error: unknown) => {
    await poll.end();
    const troubles = JSON.stringify(await cluster.troubles());
    throw new Error(`The phase "${name}" has failed. Agents and controller have logged: ${troubles}`, { cause: error });
  });
  const convergedMs = performance.now() - started;
  await sleep(settleMs);
  const polled = await poll.end();
  const after = await meter.read();
  const troubles = differences(troublesBefore, await cluster.troubles());
  return { name, convergedMs, change: changeOf(before, after), after, troubles, ...polled };
}

/** Counts for some time while nothing is asked for. */
export async function measureRest(cluster: LargeCluster, name: string, ms: number): Promise<Phase> {
  return { ...(await measure(cluster, name, () => sleep(ms - settleMs))), convergedMs: undefined };
}

/** Asks the processes with agents once a second. */
class Poll {
  readonly #stopping = new AbortController();
  readonly #running: Promise<{ peakPerSecond: number; loopDelayMs: number }>;

  constructor(cluster: LargeCluster) {
    this.#running = this.#run(cluster);
    // The failure is seen by `end`, which comes later.
    this.#running.catch(() => {});
  }

  async end(): Promise<{ peakPerSecond: number; loopDelayMs: number }> {
    this.#stopping.abort();
    return await this.#running;
  }

  async #run({ agents }: LargeCluster): Promise<{ peakPerSecond: number; loopDelayMs: number }> {
    const { signal } = this.#stopping;
    const worst = { peakPerSecond: 0, loopDelayMs: 0 };
    let { answered } = await agents.report();
    for (let at = performance.now(); !signal.aborted; ) {
      await sleep(1_000, undefined, { signal }).catch(() => {});
      const report = await agents.report();
      const seconds = (performance.now() - at) / 1_000;
      // The last part of a second says nothing about a whole one.
      if (seconds >= 1) worst.peakPerSecond = Math.max(worst.peakPerSecond, (report.answered - answered) / seconds);
      worst.loopDelayMs = Math.max(worst.loopDelayMs, report.loopDelayMs);
      at = performance.now();
      answered = report.answered;
    }
    return worst;
  }
}
