/** The checks that keep the table of known differences up to date. */
import { expect, test } from "vitest";
import type { KnownDifference } from "../conformance/known-differences.js";
import { matchDifferences, problemWith } from "../conformance/verdict.js";

const entry = (tests: KnownDifference["tests"], more: Partial<KnownDifference> = {}): KnownDifference => ({
  file: "x",
  tests,
  outcome: "notRun",
  why: "",
  ...more,
});
const match = (...entries: KnownDifference[]) => {
  const { known, problems } = matchDifferences(["one", "two", "group > three"], "containerd-2", entries);
  return { known: [...known.keys()], problems };
};

test("an entry matches journeys by full title or pattern, on the given flavours or on all", () => {
  expect(match(entry(["one"]), entry([/^group/]))).toEqual({ known: ["one", "group > three"], problems: [] });
  expect(match(entry(["two"], { flavors: ["containerd-1.6"] }))).toEqual({ known: [], problems: [] });
  expect(match(entry(["two"], { flavors: ["containerd-1.6", "containerd-2"] })).known).toEqual(["two"]);
});

test("reports entries that match no journey, and journeys that two entries match", () => {
  expect(match(entry(["on"])).problems).toEqual(["containerd-2 has no journey on"]);
  expect(match(entry([/four/])).problems).toEqual(["containerd-2 has no journey /four/"]);
  expect(match(entry(["one"]), entry([/o/])).problems).toContain('two entries match "one"');
});

test("a journey that is known to differ must fail with a matching error message", () => {
  expect(problemWith({ failed: true, messages: ["first", "expected 1 to be 2"] }, /to be 2/)).toBeUndefined();
  expect(problemWith({ failed: true, messages: ["connection refused"] }, /to be 2/)).toMatch(/matches .to be 2/);
  expect(problemWith({ failed: true, messages: [] }, /to be 2/)).toMatch(/failed with another one/);
  expect(problemWith({ failed: false, messages: [] }, /to be 2/)).toMatch(/now passes/);
});
