import { expect, test } from "vitest";
import { Long } from "../../../../src/proto.js";
import { LastTwo } from "../../../../src/resources/usage/last-two.js";

const measured = (at: number, what: string) => ({ timestamp: Long.fromNumber(at), what });

test("gives the measurement before, once there is one", () => {
  const memory = new LastTwo<ReturnType<typeof measured>>();
  const rounds = [measured(1, "a"), measured(2, "b"), measured(3, "c")].map((one) => {
    const { previous, latest } = memory.take("id", one);
    memory.endRound();
    return [previous?.what, latest?.what];
  });
  expect(rounds).toEqual([
    [undefined, "a"],
    ["a", "b"],
    ["b", "c"],
  ]);
});

test("a measurement that is told twice counts once", () => {
  const memory = new LastTwo<ReturnType<typeof measured>>();
  for (const one of [measured(1, "a"), measured(2, "b"), measured(2, "b again")]) {
    memory.take("id", one);
    memory.endRound();
  }
  const { previous, latest } = memory.take("id", measured(2, "b for the third time"));
  expect([previous?.what, latest?.what]).toEqual(["a", "b for the third time"]);
});

test("forgets what was not measured in a round, and starts anew after a gap", () => {
  const memory = new LastTwo<ReturnType<typeof measured>>();
  memory.take("gone", measured(1, "a"));
  memory.take("silent", measured(1, "a"));
  memory.endRound();
  memory.take("silent", undefined);
  memory.endRound();
  expect(memory.take("gone", measured(3, "c")).previous).toBeUndefined();
  expect(memory.take("silent", measured(3, "c")).previous).toBeUndefined();
});
