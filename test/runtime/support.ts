/**
 * Registers the same tests for every runtime.
 *
 * @module
 */
import { describe, inject, test } from "vitest";
import { type ControlAction, control } from "./control.js";
import { containerdPid, freeze } from "./helpers/containerd-process.js";
import type { ProvidedRuntime } from "./provided.js";

/** A runtime under test. Its methods throw for a runtime outside the lab; see {@link Runtime.lab}. */
export interface Runtime extends ProvidedRuntime {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends the runtime by SIGKILL; its pods and containers keep running. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Freezes the runtime until the result is disposed of: the kernel accepts connections, but the runtime never replies. */
  freeze(): Promise<{ thaw(): void } & Disposable>;
}

/** Returns the runtimes for the tests of this process, or the reason why there are none. */
export function providedRuntimes(): { runtimes: ProvidedRuntime[]; skipped?: string } {
  const { byWorker, ...provided } = inject("runtimes");
  // Vitest counts workers from 1.
  const worker = Number(process.env.VITEST_POOL_ID) - 1;
  return byWorker ? { runtimes: byWorker[worker] as ProvidedRuntime[] } : provided;
}

/**
 * Registers the tests once for each runtime. If there is no runtime, registers one skipped test with the reason.
 *
 * With `concurrent`, the runtimes are tested concurrently, and so are the tests of each, unless a nested `describe` is sequential.
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

/** Returns the title of the `describe` of a runtime. */
export function titleOf({ name, version }: ProvidedRuntime): string {
  return `${name} (${version})`;
}

function withControl(provided: ProvidedRuntime): Runtime {
  const send = (action: ControlAction) => async () => {
    if (provided.lab === undefined) throw new Error(`cannot ${action} ${provided.name}: it is not part of the lab`);
    await control(provided.lab.controlSocket, action, provided.name);
  };
  return {
    ...provided,
    start: send("start"),
    stop: send("stop"),
    kill: send("kill"),
    restart: send("restart"),
    freeze: async () => {
      if (!provided.flavor) return freeze(containerdPid(provided.endpoint));
      await send("freeze")();
      const thaw = () => void send("thaw")();
      return { thaw, [Symbol.dispose]: thaw };
    },
  };
}
