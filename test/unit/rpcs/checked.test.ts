import { expect, test } from "vitest";
import { checkId } from "../../../src/rpcs/checked.js";

test("the scheme of a container id in a Kubernetes status is dropped", () => {
  for (const scheme of ["containerd", "cri-o", "docker"]) {
    expect(checkId(`${scheme}://c0ffee`, "container")).toBe("c0ffee");
  }
});

test("ids are what runtimes give out: an empty one would stand for all of them", () => {
  expect(checkId("c0ffee", "pod")).toBe("c0ffee");
  for (const id of [
    "",
    " ",
    "a b",
    "a/b",
    "../x",
    "a\nb",
    "docker://",
    "docker:///x",
    "://x",
    undefined,
    null,
    7,
    {},
  ]) {
    expect(() => checkId(id, "pod")).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field: "pod" }));
  }
});
