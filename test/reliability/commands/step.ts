import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import type { Expectations } from "../expectations.js";
import type { World } from "../world.js";

/** One command of a sequence: a condition and an effect. */
class Step<Parameters> implements fc.AsyncCommand<Expectations, World> {
  constructor(
    private readonly name: string,
    private readonly parameters: Parameters,
    private readonly possible: (model: Expectations) => boolean,
    private readonly act: (world: World, parameters: Parameters) => unknown,
  ) {}

  check(model: Readonly<Expectations>): boolean {
    return this.possible(model as Expectations);
  }

  async run(_model: Expectations, world: World): Promise<void> {
    world.statistics.count("commands", this.name);
    await this.act(world, this.parameters);
    world.check();
  }

  toString(): string {
    return `${this.name} ${JSON.stringify(this.parameters)}`;
  }
}

export type Steps = fc.WeightedArbitrary<fc.AsyncCommand<Expectations, World>>;

/** Defines a kind of command, with the arbitrary for its parameters. */
export function step<Parameters>(
  weight: number,
  name: string,
  parameters: fc.Arbitrary<Parameters>,
  act: (world: World, parameters: Parameters) => unknown,
  possible: (model: Expectations) => boolean = () => true,
): Steps {
  return { weight, arbitrary: parameters.map((drawn) => new Step(name, drawn, possible, act)) };
}

/** How long the next command waits. Most commands run while earlier operations are still running. */
export const pauseLength: fc.Arbitrary<number | "until settled"> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 4, arbitrary: fc.constant("until settled" as const) },
);

/** Longer than most operations take, but shorter than an operation that hangs. */
const settleTimeoutMs = 150;

/** Waits before the next command: until the operations since `since` have settled, or for a time in milliseconds. */
export async function waitBeforeNext(world: World, length: number | "until settled", since = 0): Promise<void> {
  if (length === "until settled") await world.settle(world.operations.slice(since), settleTimeoutMs);
  else if (length > 0) await pause(length);
}

/** Selects an item by an index that may exceed the length of the list. */
export function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % list.length];
}

export const anyIndex = fc.nat({ max: 7 });
