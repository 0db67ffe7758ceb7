import { describe, expect, it } from "vitest";
import { CriError, InvalidInputError } from "../../../../src/errors.js";
import { InvalidManifestError, ManifestFaults } from "../../../../src/kubernetes/manifest/invalid-manifest-error.js";

function errorOf(faults: ManifestFaults): InvalidManifestError {
  try {
    faults.throwIfAny();
  } catch (error) {
    return error as InvalidManifestError;
  }
  return expect.fail("has no faults");
}

describe("InvalidManifestError", () => {
  it("has all faults, one a line, and is an InvalidInputError", () => {
    const faults = new ManifestFaults();
    faults.add("spec.a", "is wrong; do this");
    faults.add("spec.b", "is missing", { kind: "Secret", namespace: "default", name: "s" });
    const error = errorOf(faults);
    expect(error).toBeInstanceOf(InvalidManifestError);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(CriError.is(error, "INVALID_INPUT")).toBe(true);
    expect(error).toMatchObject({ name: "InvalidManifestError", field: "spec.a" });
    expect(error.message).toBe("[INVALID_INPUT] spec.a: is wrong; do this\nspec.b: is missing");
    expect(error.faults).toEqual([
      { path: "spec.a", message: "is wrong; do this" },
      { path: "spec.b", message: "is missing", missing: { kind: "Secret", namespace: "default", name: "s" } },
    ]);
  });

  it("names 20 faults and the number of the others", () => {
    const faults = new ManifestFaults();
    for (let index = 0; index < 23; index++) faults.add(`spec.f${index}`, "is wrong");
    const lines = errorOf(faults).details.split("\n");
    expect(lines).toHaveLength(21);
    expect(lines.at(-2)).toBe("spec.f19: is wrong");
    expect(lines.at(-1)).toBe('3 more faults are in the field "faults"');
    expect(errorOf(faults).faults).toHaveLength(23);
  });
});

describe("ManifestFaults", () => {
  it("collects refusals of checks and passes other errors on", () => {
    const faults = new ManifestFaults();
    const inner = new ManifestFaults();
    inner.add("spec.b", "is wrong");
    inner.add("spec.c", "is wrong");
    expect(faults.collect(() => 1)).toBe(1);
    expect(
      faults.collect(() => {
        throw new InvalidInputError({ field: "spec.a", message: "must be a number", value: "x" });
      }),
    ).toBeUndefined();
    faults.collect(() => inner.throwIfAny());
    expect(errorOf(faults).faults).toEqual([
      { path: "spec.a", message: 'must be a number, got "x"' },
      { path: "spec.b", message: "is wrong" },
      { path: "spec.c", message: "is wrong" },
    ]);
    const failure = new RangeError("other");
    const failing = () => {
      throw failure;
    };
    expect(() => faults.collect(failing)).toThrow(failure);
  });

  it("throws nothing without faults", () => {
    expect(() => new ManifestFaults().throwIfAny()).not.toThrow();
  });
});
