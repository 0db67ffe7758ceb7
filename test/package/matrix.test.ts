/** Checks that the tables of docs/support.md are those of the matrix. `npm run matrix` runs it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { groups } from "../../scripts/matrix/matrix.js";
import { dateIn, pagePath, withTables } from "../../scripts/matrix/page.js";
import { versions } from "../../scripts/matrix/versions.js";

const page = readFileSync(pagePath, "utf8");
const cells = groups.flatMap((group) => group.cells);

test("the tables name exactly the cells of the matrix, with versions: otherwise run `npm run matrix`", () => {
  const date = dateIn(page);
  expect(date).toBeDefined();
  expect(page).toBe(withTables(page, date ?? ""));
});

test("each cell has its own name and place", () => {
  for (const key of ["name", "place"] as const) {
    const values = cells.map((cell) =>
      key === "name" ? cell.name : `${cell.project.name} ${cell.row} ${cell.column}`,
    );
    expect(new Set(values).size, key).toBe(values.length);
  }
});

test("the matrix has the releases of Node.js that the tests of a change run on", () => {
  const workflow = readFileSync(new URL("../../.github/workflows/test.yml", import.meta.url), "utf8");
  const lists = [...workflow.matchAll(/node: \[(.*)\]/g)].map(([, list = ""]) => list.split(", "));
  expect(lists).toEqual(lists.map(() => Object.keys(versions.node)));
  expect(lists.length).toBeGreaterThan(0);
});

test("docs/support.md has each release of Node.js in the matrix, and the oldest that package.json accepts", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const rows = [...page.matchAll(/^\| (\d+)(\.\d+ and newer)? \| \w+ \d{4} \|/gm)];
  expect(rows.map(([, major]) => major)).toEqual(Object.keys(versions.node));
  const [, major, rest = ""] = rows[0] ?? [];
  expect(`>=${major}${rest.replace(" and newer", "")}`).toBe(manifest.engines.node);
});

test("compilers have the optional peers of this package", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(Object.keys(versions.peers)).toEqual(Object.keys(manifest.peerDependencies ?? {}));
});

test("a limit says why, with the error", () => {
  for (const { limit, name } of cells) {
    if (limit) expect(limit.note, name).toMatch(/`error /);
  }
});
