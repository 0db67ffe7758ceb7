/**
 * Random sequences of facade calls and faults against FakeRuntime, held against a model. See `docs/reliability.md` for what is
 * checked and `settings.ts` for seeds and sizes.
 *
 * @module
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FakeFlavor } from "../../src/testing/index.js";
import { disturbanceSteps } from "./commands/disturbances.js";
import { furnish, resourceSteps } from "./commands/resources.js";
import { sessionSteps } from "./commands/sessions.js";
import { end } from "./ending.js";
import { footprint, growth } from "./footprint.js";
import { Statistics } from "./report.js";
import { alone, mostShrinks, replay, runsPerLane, seeds } from "./settings.js";
import { World } from "./world.js";

const flavors: readonly FakeFlavor[] = ["containerd-1.6", "containerd-1.7", "containerd-2", "cri-o"];
const commands = fc.oneof(...resourceSteps, ...sessionSteps, ...disturbanceSteps);
const statistics = new Statistics();
/** Rejections that nobody handled, exceptions that nobody caught, and warnings of leaks, in the whole process. */
const strays: string[] = [];
let before: ReadonlyMap<string, number>;

const onStray = (error: unknown) =>
  strays.push(error instanceof Error ? (error.stack ?? String(error)) : String(error));
const onWarning = (warning: Error) => {
  if (warning.name === "MaxListenersExceededWarning") strays.push(String(warning));
};

beforeAll(() => {
  before = footprint();
  process.on("unhandledRejection", onStray);
  process.on("uncaughtExceptionMonitor", onStray);
  process.on("warning", onWarning);
});

afterAll(() => {
  process.off("unhandledRejection", onStray);
  process.off("uncaughtExceptionMonitor", onStray);
  process.off("warning", onWarning);
  console.log(`seeds ${seeds.join(", ")}\n${statistics}`);
});

/** One sequence: the commands, and the end that all of them have. */
async function run(
  flavor: FakeFlavor,
  sequence: Iterable<fc.AsyncCommand<World["expectations"], World>>,
): Promise<void> {
  const atStart = footprint();
  const world = await World.start(flavor, statistics);
  try {
    await furnish(world);
    await fc.asyncModelRun(() => ({ model: world.expectations, real: world }), sequence);
    await end(world);
    statistics.count("sequences", flavor);
  } finally {
    await world.dispose();
  }
  if (!alone) return;
  const grown = await growth(atStart);
  if (grown.length + strays.length > 0)
    throw new Error(`left behind: ${[...grown, ...strays].join(", ")}\n\n${world.history}`);
}

describe.concurrent.each(replay ? [replay.flavor as FakeFlavor] : flavors)("%s", (flavor) => {
  test.each(seeds)("keeps its promises under random faults (seed %i)", { timeout: 3_600_000 }, async (seed) => {
    let shrinks = 0;
    let failed = false;
    const property = fc.asyncProperty(
      fc.commands([commands], { maxCommands: 60, size: "max", ...(replay && { replayPath: replay.replayPath }) }),
      async (sequence) => {
        if (failed && shrinks++ >= mostShrinks) return;
        try {
          await run(flavor, sequence);
        } catch (error) {
          failed = true;
          throw error;
        }
      },
    );
    const outcome = await fc.check(property, {
      // Each flavour has sequences of its own.
      seed: replay ? seed : seed + flavors.indexOf(flavor),
      numRuns: runsPerLane,
      ...(replay && { path: replay.path, endOnFailure: true }),
    });
    if (!outcome.failed) return;
    const replayPath = /replayPath="([^"]*)"/.exec(String(outcome.counterexample?.[0]))?.[1] ?? "";
    throw new Error(
      `${outcome.errorInstance instanceof Error ? outcome.errorInstance.message : outcome.errorInstance}\n\n` +
        `${String(outcome.counterexample?.[0])}\n\n` +
        `Again: CRI_TEST_REPLAY="${flavor} ${outcome.seed} ${outcome.counterexamplePath} ${replayPath}" npx vitest run --project reliability`,
    );
  });
});

test("nothing is left in the process", async () => {
  expect(strays).toEqual([]);
  expect(await growth(before)).toEqual([]);
});
