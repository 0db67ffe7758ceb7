import { describe, expect, it, test } from "vitest";
import { flag, integer, optionalString } from "../../../src/input/check.js";
import { ObjectReader, object } from "../../../src/input/object-reader.js";
import { closest } from "../../../src/internal/closest.js";
import { refusal } from "../specs/refusal.js";

const js = (value: unknown) => value as never;

describe("unknown fields", () => {
  const fields = { command: true, hostPID: true, seccomp: true, tty: true, args: true } as const;
  test.each([
    ["comand", "command"],
    ["Command", "command"],
    ["hostPid", "hostPID"],
    ["seccompProfile", "seccomp"],
    ["ags", "args"],
  ])("%s suggests %s", (typed, meant) => {
    expect(refusal(() => object<object>({ [typed]: 1 }, "spec", fields))).toBe(
      `spec.${typed}: unknown field; did you mean ${meant}?`,
    );
  });

  it("lists the known fields if none is close", () => {
    expect(refusal(() => object<object>({ entirelyElse: 1 }, "spec", fields))).toBe(
      "spec.entirelyElse: unknown field; known are command, hostPID, seccomp, tty, args",
    );
  });

  test.each(["toString", "constructor", "__proto__"])("refuses the inherited name %s", (key) => {
    const spec = JSON.parse(`{ "${key}": 1 }`) as object;
    expect(refusal(() => object(spec, "spec", fields))).toContain("unknown field");
  });

  it.each([undefined, null, 3, "x", [], true, new Map(), new Set(), Promise.resolve(), new Date()])(
    "refuses %o",
    (value) => {
      expect(refusal(() => object<object>(js(value), "spec", fields))).toMatch(/^spec: must be an object, got /);
    },
  );

  it("suggests nothing for a name that no field is close to", () => {
    expect(closest("x", ["tty"])).toBeUndefined();
    expect(closest("a".repeat(1000), ["tty"])).toBeUndefined();
    expect(closest("tt", ["tty"])).toBeUndefined();
  });
});

describe("ObjectReader", () => {
  interface Spec {
    tty?: boolean | null | undefined;
    attempt?: number | undefined;
    name?: string | undefined;
  }
  const read = (spec: Spec) => new ObjectReader(spec, "spec", { tty: true, attempt: true, name: true });

  it("passes the value, the path and further arguments to the conversion", () => {
    const spec = read({ tty: true, attempt: 2 });
    expect(spec.read("tty", flag)).toBe(true);
    expect(spec.read("attempt", (...args) => args, "more")).toEqual([2, "spec.attempt", "more"]);
    expect(refusal(() => spec.read("attempt", integer, 0, 1, 0))).toBe(
      "spec.attempt: must be a whole number from 0 to 1, got 2",
    );
  });

  it("converts an optional field only if it is set", () => {
    const spec = read({ tty: null, name: "" });
    expect(spec.optional("tty", flag)).toBeUndefined();
    expect(spec.optional("attempt", flag)).toBeUndefined();
    expect(spec.optional("name", optionalString)).toBe("");
    expect([spec.isSet("tty"), spec.isSet("attempt"), spec.isSet("name")]).toEqual([false, false, true]);
  });

  it("refuses a field by its path", () => {
    expect(refusal(() => read({}).refuse("tty", "needs stdin"))).toBe("spec.tty: needs stdin");
  });
});
