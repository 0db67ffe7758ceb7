import { expect, test } from "vitest";
import { entryPoints } from "../build/reference/entry-points.js";
import { sectionsOf } from "../build/reference/sections.js";

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

test("an export belongs to one section", () => {
  for (const { sections } of entryPoints) {
    const names = [...sections.values()].flat();
    expect(new Set(names).size).toBe(names.length);
  }
});
