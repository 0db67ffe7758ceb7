import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import type { Expectations } from "../expectations.js";
import type { World } from "../world.js";

/** One command of a sequence: when it is possible, and what it does. */
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

/** A kind of command, with what it is drawn from. */
export function step<Parameters>(
  weight: number,
  name: string,
  parameters: fc.Arbitrary<Parameters>,
  act: (world: World, parameters: Parameters) => unknown,
  possible: (model: Expectations) => boolean = () => true,
): Steps {
  return { weight, arbitrary: parameters.map((drawn) => new Step(name, drawn, possible, act)) };
}

/** How long the next command is kept waiting: most of them come while the one before is still under way. */
export const moment: fc.Arbitrary<number | "until settled"> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 4, arbitrary: fc.constant("until settled" as const) },
);

/** Longer than most operations take, shorter than what a hanging one may. */
const patienceMs = 400;

/** Lets a moment pass. */
export async function letPass(world: World, how: number | "until settled", since = 0): Promise<void> {
  if (how === "until settled") await world.settle(world.operations.slice(since), patienceMs);
  else if (how > 0) await pause(how);
}

/** One of a list, by any number. */
export function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % list.length];
}

export const anyIndex = fc.nat({ max: 7 });
