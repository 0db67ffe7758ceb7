import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { packageVersion } from "../../../src/internal/package-version.js";

test("the version in the sources is that of package.json", () => {
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  expect(packageVersion).toBe(JSON.parse(manifest).version);
});
