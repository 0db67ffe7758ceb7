import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../build/places.js";
import { pages } from "../pages.js";

test("the table of contents lists every guide once, and nothing that does not exist", async () => {
  const names = await readdir(join(repository, "docs"), { recursive: true });
  const guides = names.filter((name) => name.endsWith(".md")).map((name) => `docs/${name.split(sep).join("/")}`);
  const others = ["SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"];
  expect(pages.map(({ file }) => file).sort()).toEqual([...guides, ...others].sort());
});
