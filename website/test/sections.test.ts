import { expect, test } from "vitest";
import { entryPoints } from "../build/reference/entry-points.js";
import { exportsOf, sectionsOf } from "../build/reference/sections.js";

test("the sections of an entry point are the comments between its exports", () => {
  const source = `/** The module. */

// The client: everything else follows

export { A, type B } from "./a.js";
export type { C } from "./c.js"; // no section

// Errors

export {
  D,
  type E,
} from "./d.js";
`;
  expect(Object.fromEntries(sectionsOf(source))).toEqual({ "The client": ["A", "B", "C"], Errors: ["D", "E"] });
  expect(sectionsOf('export { A } from "./a.js";\n').size).toBe(0);
});

test("the exports of an entry point are all names that it lists or declares", () => {
  const source =
    'export { a, type B, X as Y, type V as W } from "./a.js";\nexport interface C {}\nexport async function d() {}\nconst e = 1;\n';
  expect(exportsOf(source)).toEqual(["a", "B", "Y", "W", "C", "d"]);
});

test("an export belongs to one section", () => {
  for (const { sections } of entryPoints) {
    const names = [...sections.values()].flat();
    expect(new Set(names).size).toBe(names.length);
  }
});
