import { invalid, refuse } from "../input/check.js";
import type { Long } from "../proto.js";

/**
 * An amount, written as in a Kubernetes manifest: `"500m"`, `"1.5"`, `"128Mi"`, `"1e3"`, or a number (also `bigint` or `Long`).
 *
 * Suffixes: `n` `u` `m` (10⁻⁹, 10⁻⁶, 10⁻³), `k` `M` `G` `T` `P` `E` (powers of 1000), `Ki` `Mi` `Gi` `Ti` `Pi` `Ei` (powers of
 * 1024), or a decimal exponent. Arithmetic is exact; fractions of the resulting unit are rounded up, as in Kubernetes.
 */
export type Quantity = string | number | bigint | Long;

const decimalPowers = new Map(Object.entries({ n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }));
const binaryPowers = new Map(Object.entries({ Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }));

/** Nanos per unit: the resolution of quantities in Kubernetes. */
const nanos = 1_000_000_000n;

/** The largest value of an int64 field. */
export const maxInt64 = 2n ** 63n - 1n;

/** Converts a quantity to billionths of its unit, rounded up. Refuses negative quantities, which no field of CRI accepts. */
export function parseQuantity(value: Quantity, field: string): bigint {
  const written = decimalOf(value, field);
  if (written.length > 64) refuse(field, "must be a quantity of at most 64 characters");
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,8})|([A-Za-zµ]*))$/.exec(written);
  const [, sign = "", whole = "", fraction = "", exponent, suffix = ""] = match ?? [];
  if (match === null || (whole === "" && fraction === "")) {
    return invalid(field, 'must be a quantity such as 2, "500m" or "128Mi"', value);
  }
  const power = exponent !== undefined ? Number(exponent) : decimalPowers.get(suffix);
  const shift = binaryPowers.get(suffix);
  if (power === undefined && shift === undefined) return invalid(field, `unknown suffix${suffixHint(suffix)}`, value);

  const digits = BigInt(whole + fraction);
  if (sign === "-" && digits !== 0n) return invalid(field, "must not be negative", value);
  if (digits === 0n) return 0n;
  // Beyond ±100, the result is out of range or one nano, so larger powers of ten are not computed.
  const tens = Math.min(100, Math.max(-100, (power ?? 0) - fraction.length + 9));
  const scaled = digits << (shift ?? 0n);
  const result = tens >= 0 ? scaled * 10n ** BigInt(tens) : divideUp(scaled, 10n ** BigInt(-tens));
  return result > maxInt64 * nanos ? invalid(field, "is too large: the maximum is 2^63 - 1", value) : result;
}

/** Converts a quantity to whole units (bytes, cores), rounded up. */
export function wholeUnits(value: Quantity, field: string): bigint {
  return divideUp(parseQuantity(value, field), nanos);
}

/** Converts a quantity to thousandths (millicores), rounded up. */
export function milliUnits(value: Quantity, field: string): bigint {
  return divideUp(parseQuantity(value, field), 1_000_000n);
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

// Reads a number in its shortest decimal notation: 0.1 means a tenth, not the nearest binary fraction.
function decimalOf(value: unknown, field: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) return String(value);
  if (typeof value === "object" && value !== null && "__isLong__" in value && value.__isLong__ === true) {
    const { high, low, unsigned } = value as { high?: unknown; low?: unknown; unsigned?: unknown };
    if (typeof high === "number" && typeof low === "number" && Number.isInteger(high) && Number.isInteger(low)) {
      return String((BigInt(unsigned === true ? high >>> 0 : high | 0) << 32n) + BigInt(low >>> 0));
    }
  }
  return invalid(field, 'must be a quantity such as 2, "500m" or "128Mi"', value);
}

// Common wrong suffixes, in lower case.
const corrections: Readonly<Record<string, string>> = {
  k: "k or Ki",
  kb: "k or Ki",
  mb: "M or Mi",
  gb: "G or Gi",
  tb: "T or Ti",
  ki: "Ki",
  kib: "Ki",
  mi: "Mi",
  mib: "Mi",
  gi: "Gi",
  gib: "Gi",
  ti: "Ti",
  tib: "Ti",
  g: "G",
  t: "T",
  µ: "u",
};

function suffixHint(suffix: string): string {
  const typed = suffix.toLowerCase();
  if (Object.hasOwn(corrections, typed)) return `; did you mean ${corrections[typed]}?`;
  return "; known are n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei";
}
