import { test } from "vitest";
import { journeys } from "./journeys.js";

/**
 * Journeys of streaming sessions. They are under construction and not part of the public API yet: over SPDY the exit code is
 * sometimes lost behind a slow reader. `CRI_TEST_SESSIONS=1` runs these journeys.
 */
export const streamingJourneys: typeof journeys = (...theme) => {
  if (process.env.CRI_TEST_SESSIONS === "1") return journeys(...theme);
  test.skip(`${theme[0]}: NOT RUN, sessions are under construction; CRI_TEST_SESSIONS=1 runs them`, () => {});
};
