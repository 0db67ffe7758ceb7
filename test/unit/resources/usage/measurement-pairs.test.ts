import { expect, test } from "vitest";
import { Long } from "../../../../src/proto.js";
import { MeasurementPairs } from "../../../../src/resources/usage/measurement-pairs.js";

const measured = (at: number, value: string) => ({ timestamp: Long.fromNumber(at), value });

test("returns the previous measurement from the second round on", () => {
  const pairs = new MeasurementPairs<ReturnType<typeof measured>>();
  const rounds = [measured(1, "a"), measured(2, "b"), measured(3, "c")].map((measurement) => {
    const { previous, latest } = pairs.add("id", measurement);
    pairs.endRound();
    return [previous?.value, latest?.value];
  });
  expect(rounds).toEqual([
    [undefined, "a"],
    ["a", "b"],
    ["b", "c"],
  ]);
});

test("counts a repeated measurement once", () => {
  const pairs = new MeasurementPairs<ReturnType<typeof measured>>();
  for (const measurement of [measured(1, "a"), measured(2, "b"), measured(2, "b again")]) {
    pairs.add("id", measurement);
    pairs.endRound();
  }
  const { previous, latest } = pairs.add("id", measured(2, "b for the third time"));
  expect([previous?.value, latest?.value]).toEqual(["a", "b for the third time"]);
});

test("drops objects that were not measured in a round, and starts again after a gap", () => {
  const pairs = new MeasurementPairs<ReturnType<typeof measured>>();
  pairs.add("removed", measured(1, "a"));
  pairs.add("unmeasured", measured(1, "a"));
  pairs.endRound();
  pairs.add("unmeasured", undefined);
  pairs.endRound();
  expect(pairs.add("removed", measured(3, "c")).previous).toBeUndefined();
  expect(pairs.add("unmeasured", measured(3, "c")).previous).toBeUndefined();
});
