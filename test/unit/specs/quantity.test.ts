import fc from "fast-check";
import Long from "long";
import { describe, expect, it, test } from "vitest";
import { maxInt64, milliUnits, parseQuantity, type Quantity, wholeUnits } from "../../../src/specs/quantity.js";
import { refusal } from "./refusal.js";

describe("parseQuantity, in billionths", () => {
  test.each<[Quantity, bigint]>([
    ["0", 0n],
    ["-0", 0n],
    ["1", 1_000_000_000n],
    ["+1", 1_000_000_000n],
    ["1.5", 1_500_000_000n],
    [".5", 500_000_000n],
    ["5.", 5_000_000_000n],
    ["500m", 500_000_000n],
    ["1u", 1_000n],
    ["1n", 1n],
    ["1k", 1_000_000_000_000n],
    ["1e3", 1_000_000_000_000n],
    ["1E3", 1_000_000_000_000n],
    ["1e+3", 1_000_000_000_000n],
    ["1e-3", 1_000_000n],
    ["1E", 10n ** 27n],
    ["128Mi", 128n * 1024n * 1024n * 10n ** 9n],
    ["1.5Gi", 1536n * 1024n * 1024n * 10n ** 9n],
    ["0.1Ki", 102_400_000_000n],
    ["0.1n", 1n],
    ["1e-90", 1n],
    ["1e-99999999", 1n],
    ["0e99999999", 0n],
    [0.1, 100_000_000n],
    [1e-7, 100n],
    [1e18, 10n ** 27n],
    [2, 2_000_000_000n],
    [3n, 3_000_000_000n],
    [Long.fromString("9007199254740993"), 9_007_199_254_740_993_000_000_000n],
    [Long.fromString("9007199254740993", true), 9_007_199_254_740_993_000_000_000n],
  ])("%s", (value, expected) => {
    expect(parseQuantity(value, "f")).toBe(expected);
  });

  test.each<[unknown, RegExp]>([
    ["", /must be a quantity such as/],
    [" 1", /must be a quantity/],
    ["1 ", /must be a quantity/],
    [".", /must be a quantity/],
    ["m", /must be a quantity/],
    ["1..2", /must be a quantity/],
    ["0x10", /must be a quantity/],
    ["1_000", /must be a quantity/],
    ["1e", /unknown suffix/],
    ["-1", /must not be negative, got "-1"/],
    [-1, /must not be negative, got -1/],
    [-5n, /must not be negative/],
    [Long.fromNumber(-5), /must not be negative/],
    ["128MB", /unknown suffix; did you mean M or Mi\?, got "128MB"/],
    ["128mb", /did you mean M or Mi\?/],
    ["1K", /did you mean k or Ki\?/],
    ["1GiB", /did you mean Gi\?/],
    ["1g", /did you mean G\?/],
    ["1µ", /did you mean u\?/],
    ["1x", /known are n, u, m, k/],
    ["1constructor", /known are/],
    ["1e20", /too large/],
    ["1e99999999", /too large/],
    ["9223372036854775808", /too large/],
    ["1".repeat(65), /at most 64 characters/],
    [Number.NaN, /must be a quantity .* got NaN/],
    [Number.POSITIVE_INFINITY, /got Infinity/],
    [undefined, /got undefined/],
    [true, /got true/],
    [{}, /got an object/],
    [{ __isLong__: true }, /got an object/],
    [{ __isLong__: true, high: 1.5, low: 1 }, /got an object/],
  ])("refuses %s", (value, expected) => {
    expect(refusal(() => parseQuantity(value as never, "f"))).toMatch(expected);
  });

  it("accepts the whole range of int64", () => {
    expect(wholeUnits("9223372036854775807", "f")).toBe(maxInt64);
    expect(wholeUnits(Long.MAX_VALUE, "f")).toBe(maxInt64);
  });
});

test.each<[Quantity, bigint, bigint]>([
  ["100m", 1n, 100n],
  ["1.0001", 2n, 1001n],
  ["0.0001", 1n, 1n],
  [0.5, 1n, 500n],
  ["1Ki", 1024n, 1_024_000n],
  ["0.1Ki", 103n, 102_400n],
])("%s rounds up to %s whole and %s thousandths", (value, whole, milli) => {
  expect(wholeUnits(value, "f")).toBe(whole);
  expect(milliUnits(value, "f")).toBe(milli);
});

describe("properties", () => {
  const suffixes: Record<string, [bigint, bigint]> = {
    n: [1n, 10n ** 9n],
    u: [1n, 10n ** 6n],
    m: [1n, 1000n],
    "": [1n, 1n],
    k: [1000n, 1n],
    M: [10n ** 6n, 1n],
    G: [10n ** 9n, 1n],
    T: [10n ** 12n, 1n],
    Ki: [1n << 10n, 1n],
    Mi: [1n << 20n, 1n],
    Gi: [1n << 30n, 1n],
    Ti: [1n << 40n, 1n],
    e2: [100n, 1n],
    "e-2": [1n, 100n],
  };
  const ceil = (a: bigint, b: bigint) => a / b + (a % b > 0n ? 1n : 0n);

  it("agrees with fractions of bigints", () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 999_999n),
        fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 15 }),
        fc.constantFrom(...Object.keys(suffixes)),
        (whole, fraction, suffix) => {
          const [times, per] = suffixes[suffix]!;
          const numerator = (whole * 10n ** BigInt(fraction.length) + BigInt(fraction || "0")) * times;
          const denominator = 10n ** BigInt(fraction.length) * per;
          const written = `${whole}.${fraction}${suffix}`;
          expect(parseQuantity(written, "f")).toBe(ceil(numerator * 10n ** 9n, denominator));
          expect(wholeUnits(written, "f")).toBe(ceil(numerator, denominator));
          expect(milliUnits(written, "f")).toBe(ceil(numerator * 1000n, denominator));
        },
      ),
    );
  });

  it("reads a number in its decimal notation", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), fc.integer({ min: 0, max: 9 }), (digits, places) => {
        expect(parseQuantity(digits / 10 ** places, "f")).toBe(BigInt(digits) * 10n ** BigInt(9 - places));
      }),
    );
  });

  it("reads safe integers, bigints and Longs alike", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, BigInt(Number.MAX_SAFE_INTEGER)), (value) => {
        expect(wholeUnits(value, "f")).toBe(value);
        expect(wholeUnits(Number(value), "f")).toBe(value);
        expect(wholeUnits(Long.fromString(String(value)), "f")).toBe(value);
        expect(wholeUnits(String(value), "f")).toBe(value);
      }),
    );
  });

  it("converts or refuses any string", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+]?[0-9.]{0,6}[eE+\-kKmMiunGTPE0-9]{0,9}$/)), (value) => {
        let result: bigint | undefined;
        try {
          result = parseQuantity(value, "f");
        } catch {
          expect(refusal(() => parseQuantity(value, "f"))).toMatch(/^f: /);
        }
        if (result !== undefined) expect(result >= 0n).toBe(true);
      }),
    );
  });
});
