import { describe, expect, test } from "vitest";
import { judge } from "../../bench/soak/verdict.js";

const tolerance = { absolute: 2, relative: 0.1 };
const series = (value: (index: number) => number, length = 60) => Array.from({ length }, (_, index) => value(index));
/** Irregular values between -1 and 1. */
const noise = (index: number) => Math.sin(index * index * 12.9898);
const outcomeOf = (values: number[]) => judge(values, tolerance).outcome;

describe("the verdict of a soak", () => {
  test.each([
    ["constant", series(() => 10)],
    ["always zero", series(() => 0)],
    ["noise", series((index) => 20 + 5 * noise(index))],
    ["decreasing", series((index) => 50 - index)],
    ["one peak at the end", series((index) => (index === 59 ? 1_000 : 10))],
    ["a few peaks", series((index) => (index % 10 === 9 ? 40 : 10))],
    ["growth during the warm-up only", series((index) => (index < 12 ? 2 * index : 24) + noise(index))],
    ["growth within the absolute limit", series((index) => 1 + index / 60)],
    ["growth within the relative limit", series((index) => 1_000 + index)],
  ])("flat: %s", (_, values) => {
    expect(outcomeOf(values)).toBe("flat");
  });

  test.each([
    ["linear", series((index) => 10 + index / 15)],
    ["linear with noise", series((index) => 20 + index / 10 + 3 * noise(index))],
    ["in steps", series((index) => 10 + 2 * Math.floor(index / 10))],
    ["from zero", series((index) => index / 10)],
    ["sawtooth with growing amplitude", series((index) => (index % 5) * (1 + index / 10))],
  ])("grows: %s", (_, values) => {
    expect(outcomeOf(values)).toBe("grows");
  });

  test("contains the growth and the spreads of the first and last third", () => {
    const verdict = judge(
      series((index) => index, 30),
      tolerance,
    );
    expect(verdict).toMatchObject({
      first: { min: 0, median: 4.5, max: 9 },
      last: { min: 20, median: 24.5, max: 29 },
      outcome: "grows",
    });
    // The first six samples are ignored: growth from 6 to 29.
    expect(verdict.growth).toBeCloseTo(23);
    expect(verdict.allowed).toBe(2);
  });

  test("needs six samples after the warm-up", () => {
    expect(outcomeOf([1, 2, 3])).toBe("too few samples");
    expect(outcomeOf([])).toBe("too few samples");
  });
});
