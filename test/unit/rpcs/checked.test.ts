import { expect, test } from "vitest";
import { checkId } from "../../../src/rpcs/checked.js";

test("removes the scheme of a container id from a Kubernetes status", () => {
  for (const scheme of ["containerd", "cri-o", "docker"]) {
    expect(checkId(`${scheme}://c0ffee`, "container")).toBe("c0ffee");
  }
});

test("refuses an empty id, which would be a prefix of all ids, and malformed ones", () => {
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
