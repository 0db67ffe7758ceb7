import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { guidePath, withFields } from "./manifest-fields.js";

test("the lists of fields in the guide are up to date: otherwise run `npm run manifests:page`", () => {
  const guide = readFileSync(guidePath, "utf8");
  expect(guide).toBe(withFields(guide));
});
