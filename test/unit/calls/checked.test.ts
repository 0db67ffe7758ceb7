import { expect, test } from "vitest";
import { checkId } from "../../../src/calls/checked.js";

test("ids are what runtimes give out: an empty one would stand for all of them", () => {
  expect(checkId("c0ffee", "pod")).toBe("c0ffee");
  for (const id of ["", " ", "a b", "a/b", "../x", "a\nb", undefined, null, 7, {}]) {
    expect(() => checkId(id, "pod")).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field: "pod" }));
  }
});
