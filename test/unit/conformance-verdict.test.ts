/** What the table of known differences makes of journeys: it cannot go stale unnoticed. */
import { expect, test } from "vitest";
import type { KnownDifference } from "../conformance/known-differences.js";
import { complaintAbout, knownAmong } from "../conformance/verdict.js";

const entry = (tests: KnownDifference["tests"], more: Partial<KnownDifference> = {}): KnownDifference => ({
  file: "x",
  tests,
  outcome: "notRun",
  why: "",
  ...more,
});
const among = (...entries: KnownDifference[]) => {
  const { known, complaints } = knownAmong(["one", "two", "group > three"], "containerd-2", entries);
  return { known: [...known.keys()], complaints };
};

test("entries name journeys by their whole name, or by a pattern, on some flavours or all", () => {
  expect(among(entry(["one"]), entry([/^group/]))).toEqual({ known: ["one", "group > three"], complaints: [] });
  expect(among(entry(["two"], { flavors: ["containerd-1.6"] }))).toEqual({ known: [], complaints: [] });
  expect(among(entry(["two"], { flavors: ["containerd-1.6", "containerd-2"] })).known).toEqual(["two"]);
});

test("an entry that fits nothing is told, and a journey that is named twice", () => {
  expect(among(entry(["on"])).complaints).toEqual(["containerd-2 has no journey on"]);
  expect(among(entry([/four/])).complaints).toEqual(["containerd-2 has no journey /four/"]);
  expect(among(entry(["one"]), entry([/o/])).complaints).toContain('"one" is there twice');
});

test("a journey that is known to fail has to, with the words that are known", () => {
  expect(complaintAbout({ failed: true, messages: ["first", "expected 1 to be 2"] }, /to be 2/)).toBeUndefined();
  expect(complaintAbout({ failed: true, messages: ["connection refused"] }, /to be 2/)).toMatch(
    /other words: .to be 2/,
  );
  expect(complaintAbout({ failed: true, messages: [] }, /to be 2/)).toMatch(/other words/);
  expect(complaintAbout({ failed: false, messages: [] }, /to be 2/)).toMatch(/has learned this/);
});
