import { expect, test } from "vitest";
import { keysFor } from "../../../../src/specs/credentials/config-key.js";

test("a path that ends within a part of the repository applies after all others of its host, as a kubelet reads it", () => {
  const keys = ["*.example", "registry.example/te", "registry.example", "registry.example/team", "registry.example/x"];
  expect(keysFor("registry.example/team/app:1", keys)).toEqual([
    "registry.example/team",
    "registry.example",
    "registry.example/te",
    "*.example",
  ]);
});

test("entries of one key keep their order", () => {
  const keys = ["https://registry.example", "registry.example", "http://registry.example"];
  expect(keysFor("registry.example/app", keys)).toEqual(keys);
});
