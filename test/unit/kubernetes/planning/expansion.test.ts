import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { expand } from "../../../../src/kubernetes/planning/expansion.js";

const values: Readonly<Record<string, string>> = {
  A: "a",
  EMPTY: "",
  REF: "$(A)",
  DOLLAR: "$",
  "x(y": "odd",
  "dotted.name": "d",
};
const read = (name: string) => values[name];

describe("expand", () => {
  test.each([
    ["", ""],
    ["plain", "plain"],
    ["$(A)", "a"],
    ["-$(A)$(A)-", "-aa-"],
    ["$(dotted.name)", "d"],
    ["$(EMPTY)", ""],
    ["$(UNKNOWN)", "$(UNKNOWN)"],
    ["$(REF)", "$(A)"],
    ["$$", "$"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$a"],
    ["$$$$(A)", "$$(A)"],
    ["$(DOLLAR)(A)", "$(A)"],
    ["$", "$"],
    ["a$", "a$"],
    ["$A", "$A"],
    ["$A$(A)", "$Aa"],
    ["$()", "$()"],
    ["$(", "$("],
    ["$(A", "$(A"],
    ["$(A$$", "$(A$"],
    ["$(A $(B", "$(A $(B"],
    ["$(x(y)", "odd"],
    ["$(A $(A)", "$(A $(A)"],
    ["$( A)", "$( A)"],
    ["a)$(A)", "a)a"],
    ["é$(A)€", "éa€"],
  ])("%j becomes %j", (text, expected) => {
    expect(expand(text, read)).toBe(expected);
  });

  it("takes time in proportion to the length without a closing parenthesis", () => {
    const text = "$(".repeat(1_000_000);
    expect(expand(text, read)).toBe(text);
  });

  const texts = fc.string({ unit: fc.constantFrom("$", "(", ")", "A", "b") });

  it("changes no string without a dollar sign", () => {
    fc.assert(fc.property(fc.string(), (text) => expand(text.replaceAll("$", ""), read) === text.replaceAll("$", "")));
  });

  it("restores what doubled dollar signs protect", () => {
    fc.assert(fc.property(texts, (text) => expand(text.replaceAll("$", "$$$$"), read) === text));
  });

  it("asks only for names between $( and the next parenthesis", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expand(text, (name) => {
          expect(text).toContain(`$(${name})`);
          expect(name).not.toContain(")");
          return undefined;
        });
      }),
    );
  });
});
