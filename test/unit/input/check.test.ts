import { describe, expect, it, test } from "vitest";
import {
  absolutePath,
  applyPatch,
  flag,
  innerPath,
  integer,
  invalid,
  list,
  nonEmptyStrings,
  objectName,
  oneOf,
  optionalPath,
  optionalString,
  requiredString,
  stringMap,
  strings,
} from "../../../src/input/check.js";
import { fieldPath } from "../../../src/internal/field-names.js";
import { refusal } from "../specs/refusal.js";

const js = (value: unknown) => value as never;

describe("error messages show", () => {
  test.each<[unknown, string]>([
    ["x", 'f: m, got "x"'],
    [3, "f: m, got 3"],
    [true, "f: m, got true"],
    [Number.NaN, "f: m, got NaN"],
    [5n, "f: m, got 5"],
    [null, "f: m, got null"],
    [undefined, "f: m, got undefined"],
    [[1, 2], "f: m, got an array"],
    [{ secret: "s3cret" }, "f: m, got an object"],
    [new Uint8Array(3), "f: m, got bytes"],
    [() => 1, "f: m, got a function"],
    [Symbol("s"), "f: m, got a symbol"],
    [Object.create(null), "f: m, got an object"],
    [new Map(), "f: m, got a Map"],
    [Promise.resolve(), "f: m, got a Promise"],
  ])("%o", (value, expected) => {
    expect(refusal(() => invalid("f", "m", value))).toBe(expected);
  });
});

test.each<[string | number, string]>([
  ["app", "spec.labels.app"],
  [0, "spec.labels[0]"],
  ["a/b.c", 'spec.labels["a/b.c"]'],
])("path of key %o", (key, expected) => {
  expect(fieldPath("spec.labels", key)).toBe(expected);
});

describe.each<{ name: string; read(value: never): unknown; good: [unknown, unknown][]; bad: [unknown, RegExp][] }>([
  {
    name: "optionalString",
    read: (value) => optionalString(value, "f"),
    good: [
      ["x", "x"],
      ["", ""],
      [undefined, ""],
      [null, ""],
    ],
    bad: [
      [3, /must be a string, got 3/],
      ["a\0b", /NUL/],
      [{}, /got an object/],
    ],
  },
  {
    name: "requiredString",
    read: (value) => requiredString(value, "f"),
    good: [["x", "x"]],
    bad: [
      ["", /must not be empty/],
      [undefined, /is required/],
      [3, /string/],
    ],
  },
  {
    name: "flag",
    read: (value) => flag(value, "f"),
    good: [
      [true, true],
      [false, false],
      [undefined, false],
      [null, false],
    ],
    bad: [
      ["true", /must be true or false, got "true"/],
      [1, /got 1/],
    ],
  },
  {
    name: "integer",
    read: (value) => integer(value, "f", 0, 10, 7),
    good: [
      [0, 0],
      [10, 10],
      [-0, 0],
      [undefined, 7],
    ],
    bad: [
      [11, /whole number from 0 to 10, got 11/],
      [-1, /got -1/],
      [1.5, /got 1.5/],
      ["1", /got "1"/],
      [Number.NaN, /NaN/],
      [1n, /got 1/],
    ],
  },
  {
    name: "oneOf",
    read: (value) => oneOf(value, "f", { Merge: 1, Strict: 2 }, 9),
    good: [
      ["Merge", 1],
      ["Strict", 2],
      [undefined, 9],
    ],
    bad: [
      ["strict", /one of "Merge", "Strict"; did you mean "Strict"\?, got "strict"/],
      ["toString", /one of/],
      [1, /got 1/],
    ],
  },
  {
    name: "list",
    read: (value) => list(value, "f", (item, path) => [path, item]),
    good: [
      [
        [1, "x"],
        [
          ["f[0]", 1],
          ["f[1]", "x"],
        ],
      ],
      [undefined, []],
      [null, []],
    ],
    bad: [
      ["x", /must be an array, got "x"/],
      [{ 0: 1 }, /an object/],
    ],
  },
  {
    name: "strings",
    read: (value) => strings(value, "f"),
    good: [
      [
        ["a", ""],
        ["a", ""],
      ],
      [undefined, []],
    ],
    bad: [
      [["a", 3], /^f\[1\]: must be a string, got 3/],
      [["a", null], /^f\[1\]/],
      [Object.assign(["a"], { 2: "b" }), /^f\[1\]: .* undefined/],
      ["a b", /array/],
    ],
  },
  {
    name: "nonEmptyStrings",
    read: (value) => nonEmptyStrings(value, "f"),
    good: [[["a"], ["a"]]],
    bad: [[["a", ""], /^f\[1\]: must not be empty/]],
  },
  {
    name: "stringMap",
    read: (value) => stringMap(value, "f"),
    good: [
      [
        { a: "1", "b/c": "" },
        { a: "1", "b/c": "" },
      ],
      [undefined, {}],
      [null, {}],
    ],
    bad: [
      [{ "b/c": 1 }, /^f\["b\/c"\]: must be a string; put it in quotes, got a number$/],
      [{ a: null }, /^f.a: must be a string, got null/],
      [{ "": "x" }, /empty key/],
      [JSON.parse('{ "__proto__": "x" }'), /cannot be sent/],
      ["a=b", /object of strings/],
      [["a"], /object of strings/],
      [new Map([["a", "b"]]), /object of strings, got a Map/],
    ],
  },
  {
    name: "absolutePath",
    read: (value) => absolutePath(value, "f"),
    good: [
      ["/a", "/a"],
      ["C:\\a", "C:\\a"],
      ["c:/a", "c:/a"],
      ["\\\\.\\pipe\\x", "\\\\.\\pipe\\x"],
    ],
    bad: [
      ["a", /must be an absolute path, got "a"/],
      ["", /empty/],
      ["./a", /absolute/],
      [undefined, /required/],
    ],
  },
  {
    name: "optionalPath",
    read: (value) => optionalPath(value, "f"),
    good: [
      ["/a", "/a"],
      ["", ""],
      [undefined, ""],
    ],
    bad: [["a", /absolute/]],
  },
  {
    name: "innerPath",
    read: (value) => innerPath(value, "f"),
    good: [
      ["a/b.log", "a/b.log"],
      ["", ""],
      [undefined, ""],
      ["a..b", "a..b"],
    ],
    bad: [
      ["/a", /relative/],
      ["../a", /'\.\.'/],
      ["a/../b", /'\.\.'/],
      ["a\\..\\b", /'\.\.'/],
      ["C:\\a", /relative/],
    ],
  },
  {
    name: "objectName",
    read: (value) => objectName(value, "f"),
    good: [
      ["a", "a"],
      ["web-1.x_Y", "web-1.x_Y"],
      ["a".repeat(253), "a".repeat(253)],
    ],
    bad: [
      ["", /empty/],
      [undefined, /required/],
      ["a b", /letters/],
      ["a/b", /letters/],
      ["-a", /letters/],
      ["a".repeat(254), /253/],
    ],
  },
])("$name", ({ read, good, bad }) => {
  test.each(good)("takes %o", (value, expected) => {
    expect(read(js(value))).toEqual(expected);
  });
  test.each(bad)("refuses %o", (value, expected) => {
    const message = refusal(() => read(js(value)));
    expect(message).toMatch(expected);
    expect(message).toMatch(/^f/);
  });
});

describe("applyPatch", () => {
  const message = () => ({ a: 1, metadata: {} as object | undefined, annotations: {} });
  it("lets the patch change the message", () => {
    const changed = message();
    applyPatch((m: { a: number }) => Object.assign(m, { a: 2 }), "f", changed);
    applyPatch(undefined, "f", changed);
    expect(changed.a).toBe(2);
  });
  it("refuses a patch that is not a function, returns a promise, or removes the metadata", () => {
    expect(refusal(() => applyPatch(js({}), "f", message()))).toMatch(/must be a function/);
    expect(refusal(() => applyPatch(async () => {}, "f", message()))).toMatch(/must not be asynchronous/);
    const removeMetadata = (m: { metadata?: object | undefined }) => {
      m.metadata = undefined;
    };
    expect(refusal(() => applyPatch(removeMetadata, "f", message()))).toMatch(/must not remove metadata/);
  });
  it("throws the patch's own error", () => {
    const own = new RangeError("mine");
    const fail = () => {
      throw own;
    };
    expect(() => applyPatch(fail, "f", message())).toThrow(own);
  });
});
