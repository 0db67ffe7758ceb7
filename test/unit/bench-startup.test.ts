import { describe, expect, test } from "vitest";
import { type Lock, treeOf } from "../../bench/startup/install-size.js";
import { sort } from "../../bench/startup/loaded.js";

describe("the dependencies of packages in a lock file", () => {
  const lock: Lock = {
    packages: {
      "": {},
      "node_modules/a": { dependencies: { b: "1", c: "1" }, optionalDependencies: { "not-here": "1" } },
      "node_modules/a/node_modules/b": { dependencies: { c: "1" } },
      "node_modules/b": { dependencies: { d: "1" } },
      "node_modules/c": { peerDependencies: { "@s/e": "1", f: "1" }, peerDependenciesMeta: { f: { optional: true } } },
      "node_modules/d": {},
      "node_modules/@s/e": { dependencies: { a: "1" } },
      "node_modules/f": {},
    },
  };

  test("contain the nearest package of each name once, and required peers", () => {
    expect(treeOf(lock, ["a"])).toEqual([
      "node_modules/@s/e",
      "node_modules/a",
      "node_modules/a/node_modules/b",
      "node_modules/c",
    ]);
  });

  test("are united for several packages", () => {
    expect(treeOf(lock, ["b", "f"])).toEqual(["node_modules/b", "node_modules/d", "node_modules/f"]);
  });
});

test("loaded files are sorted by their innermost package", () => {
  const { own, packages } = sort([
    "file:///p/dist/src/index.mjs",
    "/p/dist/src/chunks/client.js",
    "/p/node_modules/a/index.js",
    "/p/node_modules/a/node_modules/@s/b/dist/x.js",
    "file:///p/node_modules/@s/b/y.js",
    "/p/bench/startup/probe.mjs",
  ]);
  expect(own).toEqual(["chunks/client.js", "index.mjs"]);
  expect([...packages]).toEqual([
    ["@s/b", 2],
    ["a", 1],
  ]);
});
