/**
 * Compares random sequences of calls and faults on FakeRuntime with a model. `docs/reliability.md` describes the checks,
 * `settings.ts` the seeds and sizes.
 *
 * @module
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FakeFlavor } from "../../src/testing/index.js";
import { disturbanceSteps } from "./commands/disturbances.js";
import { createInitialObjects, resourceSteps } from "./commands/resources.js";
import { sessionSteps } from "./commands/sessions.js";
import { runFinalChecks } from "./final-checks.js";
import { footprint, growth } from "./footprint.js";
import { Statistics } from "./report.js";
import { isSingleLane, maxShrinks, replay, runsPerLane, seeds } from "./settings.js";
import { World } from "./world.js";

const flavors: readonly FakeFlavor[] = ["containerd-1.6", "containerd-1.7", "containerd-2", "cri-o"];
const commands = fc.oneof(...resourceSteps, ...sessionSteps, ...disturbanceSteps);
const statistics = new Statistics();
/** Unhandled rejections, uncaught exceptions and warnings of listener leaks in the whole process. */
const unhandled: string[] = [];
let before: ReadonlyMap<string, number>;

const onUnhandled = (error: unknown) =>
  unhandled.push(error instanceof Error ? (error.stack ?? String(error)) : String(error));
const onWarning = (warning: Error) => {
  if (warning.name === "MaxListenersExceededWarning") unhandled.push(String(warning));
};

beforeAll(() => {
  before = footprint();
  process.on("unhandledRejection", onUnhandled);
  process.on("uncaughtExceptionMonitor", onUnhandled);
  process.on("warning", onWarning);
});

afterAll(() => {
  process.off("unhandledRejection", onUnhandled);
  process.off("uncaughtExceptionMonitor", onUnhandled);
  process.off("warning", onWarning);
  console.log(`seeds ${seeds.join(", ")}\n${statistics}`);
});

/** Runs one sequence of commands, and the final checks. */
async function run(
  flavor: FakeFlavor,
  sequence: Iterable<fc.AsyncCommand<World["expectations"], World>>,
): Promise<void> {
  const atStart = footprint();
  const world = await World.start(flavor, statistics);
  try {
    await createInitialObjects(world);
    await fc.asyncModelRun(() => ({ model: world.expectations, real: world }), sequence);
    await runFinalChecks(world);
    statistics.count("sequences", flavor);
  } finally {
    await world.dispose();
  }
  if (!isSingleLane) return;
  const grown = await growth(atStart);
  if (grown.length + unhandled.length > 0)
    throw new Error(`leaked: ${[...grown, ...unhandled].join(", ")}\n\n${world.history}`);
}

describe.concurrent.each(replay ? [replay.flavor as FakeFlavor] : flavors)("%s", (flavor) => {
  test.each(seeds)("keeps its promises under random faults (seed %i)", { timeout: 3_600_000 }, async (seed) => {
    let shrinks = 0;
    let failed = false;
    const property = fc.asyncProperty(
      fc.commands([commands], { maxCommands: 60, size: "max", ...(replay && { replayPath: replay.replayPath }) }),
      async (sequence) => {
        if (failed && shrinks++ >= maxShrinks) return;
        try {
          await run(flavor, sequence);
        } catch (error) {
          failed = true;
          throw error;
        }
      },
    );
    const outcome = await fc.check(property, {
      // Each flavour has its own sequences.
      seed: replay ? seed : seed + flavors.indexOf(flavor),
      numRuns: runsPerLane,
      ...(replay && { path: replay.path, endOnFailure: true }),
    });
    if (!outcome.failed) return;
    const replayPath = /replayPath="([^"]*)"/.exec(String(outcome.counterexample?.[0]))?.[1] ?? "";
    throw new Error(
      `${outcome.errorInstance instanceof Error ? outcome.errorInstance.message : outcome.errorInstance}\n\n` +
        `${String(outcome.counterexample?.[0])}\n\n` +
        `Replay: CRI_TEST_REPLAY="${flavor} ${outcome.seed} ${outcome.counterexamplePath} ${replayPath}" ` +
        "npx vitest run --project reliability",
    );
  });
});

test("leaves no listeners, timers or sockets in the process", async () => {
  expect(unhandled).toEqual([]);
  expect(await growth(before)).toEqual([]);
});
