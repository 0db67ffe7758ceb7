/** Checks that docs/conformance.md is generated from the table of known differences. The run of the journeys checks the counts. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { knownDifferences, otherFiles } from "../conformance/known-differences.js";
import { pageOf, pagePath, rowsIn } from "../conformance/page.js";

const journeys = fileURLToPath(new URL("../runtime", import.meta.url));
const page = readFileSync(pagePath, "utf8");

test("the page is up to date: otherwise run `npm run conformance:page`", () => {
  expect(page).toBe(pageOf(rowsIn(page)));
});

test("the page and the known differences name every file of journeys, and no others", () => {
  const files = readdirSync(journeys).flatMap((name) => /^(.*)\.test\.ts$/.exec(name)?.[1] ?? []);
  const inPage = [...rowsIn(page).map(({ file }) => file), ...Object.keys(otherFiles)];
  expect(inPage.sort()).toEqual(files.sort());
  for (const { file } of knownDifferences) expect(existsSync(`${journeys}/${file}.test.ts`), file).toBe(true);
});
