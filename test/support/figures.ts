/**
 * Figures of hostile tests, for a table: `npm run hostile:figures` prints it.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import { expect } from "vitest";
import type { ResourceWatch } from "./resource-watch.js";

/** What one call in one test came to. */
export interface Figures {
  file: string;
  test: string;
  /** The code of the error, or `OK`. */
  outcome: string;
  elapsedMs: number;
  mebibytes: number;
  stallMs: number;
}

/** Appends the figures of a call in the current test, as a line of JSON, to the file that `CRI_TEST_FIGURES` names, if it does. */
export function recordFigures(outcome: string, { elapsedMs, mebibytes, stallMs }: ResourceWatch): void {
  const collected = process.env.CRI_TEST_FIGURES;
  if (!collected) return;
  const { testPath: file = "", currentTestName: test = "" } = expect.getState();
  const figures: Figures = { file, test, outcome, elapsedMs, mebibytes, stallMs };
  appendFileSync(collected, `${JSON.stringify(figures)}\n`);
}
