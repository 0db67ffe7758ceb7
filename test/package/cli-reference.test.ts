import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cliGuidePath, withReference } from "./cli-reference.js";

test("the reference of the commands in docs/cli.md is up to date: otherwise run `npm run cli:page`", async () => {
  const guide = readFileSync(cliGuidePath, "utf8");
  expect(guide).toBe(await withReference(guide));
});

test("the reference shows default durations with their unit, as a user writes them", () => {
  expect(readFileSync(cliGuidePath, "utf8")).not.toMatch(/default:\s+\d{4,}/);
});
