import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/import-graph.js";

// What vitest exports belongs to whichever test of the runtimes started or ended last.
test("journeys that poll use the expect of their test, because the runtimes are tested concurrently", () => {
  const folder = join(root, "test/runtime");
  const polls = readdirSync(folder)
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap((name) => {
      const source = readFileSync(join(folder, name), "utf8");
      return Array.from(source.matchAll(/\bexpect\.poll\(/g), ({ index }) => {
        const before = source.slice(0, index);
        const beginning = before.slice(before.search(/\btest(\.\w+)*\((?![\s\S]*\btest(\.\w+)*\()/));
        return { at: `${name}:${before.split("\n").length}`, hasOwn: /\{\s*expect\b[^}]*\}\) =>/.test(beginning) };
      });
    });
  expect(polls.length).toBeGreaterThan(0);
  expect(polls.filter(({ hasOwn }) => !hasOwn).map(({ at }) => at)).toEqual([]);
});

test("journeys do not clean up with onTestFinished, which may belong to the test of another runtime", () => {
  const folder = join(root, "test/runtime");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  expect(files.filter((name) => readFileSync(join(folder, name), "utf8").includes("onTestFinished"))).toEqual([]);
});
