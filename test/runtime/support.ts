/**
 * The same journeys on every runtime there is.
 *
 * @module
 */
import { describe, inject, test } from "vitest";
import { type ControlAction, control } from "./control.js";
import { containerdPid, freeze } from "./helpers/containerd-process.js";
import type { ProvidedRuntime } from "./provided.js";

/** A runtime under test. What needs the lab throws on a runtime that the environment named; see {@link Runtime.lab}. */
export interface Runtime extends ProvidedRuntime {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends the runtime by SIGKILL; its pods and containers keep running. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Stops the runtime in its tracks for the time of a block: it takes connections, and does nothing. */
  freeze(): Promise<{ thaw(): void } & Disposable>;
}

/** The runtimes that the tests of this process run against, or why there are none. */
export function providedRuntimes(): { runtimes: ProvidedRuntime[]; skipped?: string } {
  const { byWorker, ...provided } = inject("runtimes");
  // Counted from 1.
  const worker = Number(process.env.VITEST_POOL_ID) - 1;
  return byWorker ? { runtimes: byWorker[worker] as ProvidedRuntime[] } : provided;
}

/**
 * Registers the tests once for each runtime, one runtime after the other or side by side; without any, one skipped test says
 * why. Side by side, what is registered inside runs concurrently too, unless it is in a `describe` that says otherwise.
 */
export function describeRuntimes(
  journeys: (runtime: Runtime) => void,
  { concurrent = false, newestOnly = false }: { concurrent?: boolean; newestOnly?: boolean } = {},
): void {
  const { runtimes: all, skipped } = providedRuntimes();
  const runtimes = newestOnly ? all.slice(-1) : all;
  if (runtimes.length === 0) test.skip(skipped ?? "no runtime to test against", () => {});
  for (const provided of runtimes) {
    describe(titleOf(provided), { concurrent: concurrent }, () => journeys(withControl(provided)));
  }
}

/** What the tests of a runtime are found under. */
export function titleOf({ name, version }: ProvidedRuntime): string {
  return `${name} (${version})`;
}

function withControl(provided: ProvidedRuntime): Runtime {
  const order = (action: ControlAction) => async () => {
    if (provided.lab === undefined) throw new Error(`${provided.name} is not ours to ${action}.`);
    await control(provided.lab.controlSocket, action, provided.name);
  };
  return {
    ...provided,
    start: order("start"),
    stop: order("stop"),
    kill: order("kill"),
    restart: order("restart"),
    freeze: async () => {
      if (!provided.flavor) return freeze(containerdPid(provided.endpoint));
      await order("freeze")();
      const thaw = () => void order("thaw")();
      return { thaw, [Symbol.dispose]: thaw };
    },
  };
}
