/**
 * The same journeys on every runtime there is.
 *
 * @module
 */
import { describe, inject, test } from "vitest";
import { type ControlAction, control } from "./control.js";
import type { ProvidedRuntime } from "./provided.js";

/** A runtime under test. What needs the lab throws on a runtime that the environment named; see {@link Runtime.lab}. */
export interface Runtime extends ProvidedRuntime {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends the runtime by SIGKILL; its pods and containers keep running. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/**
 * Registers the tests once for each runtime, one runtime after the other or side by side; without any, one skipped test says
 * why. Side by side, what is registered inside runs concurrently too, unless it is in a `describe` that says otherwise.
 */
export function describeRuntimes(
  journeys: (runtime: Runtime) => void,
  { sideBySide = false, newestOnly = false }: { sideBySide?: boolean; newestOnly?: boolean } = {},
): void {
  const { runtimes: all, skipped } = inject("runtimes");
  const runtimes = newestOnly ? all.slice(-1) : all;
  if (runtimes.length === 0) test.skip(skipped ?? "no runtime to test against", () => {});
  for (const provided of runtimes) {
    describe(`${provided.name} (${provided.version})`, { concurrent: sideBySide }, () => journeys(steerable(provided)));
  }
}

function steerable(provided: ProvidedRuntime): Runtime {
  const order = (action: ControlAction) => async () => {
    if (provided.lab === undefined) throw new Error(`${provided.name} is not ours to ${action}.`);
    await control(provided.lab.controlSocket, action, provided.name);
  };
  return { ...provided, start: order("start"), stop: order("stop"), kill: order("kill"), restart: order("restart") };
}
