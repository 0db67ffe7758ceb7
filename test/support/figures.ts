/**
 * Records the figures of tests of hostile peers. `npm run hostile:figures` prints them.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import { expect } from "vitest";
import type { ResourceWatch } from "./resource-watch.js";

/** The figures of one call in one test. */
export interface Figures {
  file: string;
  test: string;
  /** The code of the error, or `OK`. */
  outcome: string;
  elapsedMs: number;
  mebibytes: number;
  stallMs: number;
}

/** Appends the figures of a call in the current test to the file named by `CRI_TEST_FIGURES`, as one line of JSON. */
export function recordFigures(outcome: string, { elapsedMs, mebibytes, stallMs }: ResourceWatch): void {
  const collected = process.env.CRI_TEST_FIGURES;
  if (!collected) return;
  const { testPath: file = "", currentTestName: test = "" } = expect.getState();
  const figures: Figures = { file, test, outcome, elapsedMs, mebibytes, stallMs };
  appendFileSync(collected, `${JSON.stringify(figures)}\n`);
}
