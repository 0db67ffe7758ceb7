/** A plain (unquoted) scalar of YAML as JSON, as Kubernetes reads it. Whole numbers beyond 2^53 are bigints. */
export type PlainScalar = string | number | bigint | boolean | null;

const words: ReadonlyMap<string, boolean | null> = new Map([
  ...["yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map((word) => [word, true] as const),
  ...["no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map((word) => [word, false] as const),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
]);

const infinities = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/**
 * Resolves a plain scalar by the rules of Kubernetes, which are neither those of YAML 1.1 nor of YAML 1.2: `0400` and `0o400` are
 * octal, `yes` and `on` are booleans, `1_000` is a number, but `12:30` and `2026-01-01` are strings. Unlike in Kubernetes, `y` and
 * `n` are strings: it reads them as booleans, but other tools write them without quotes.
 *
 * @returns undefined for infinities and "not a number", which JSON cannot represent
 */
export function resolvePlain(source: string): PlainScalar | undefined {
  const word = words.get(source);
  if (word !== undefined) return word;
  if (!/^[-+.\d]/.test(source)) return source;
  if (infinities.test(source)) return undefined;
  return wholeNumber(source.replaceAll("_", "")) ?? fraction(source) ?? source;
}

function wholeNumber(text: string): number | bigint | undefined {
  const [, sign, digits = ""] = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(text) ?? [];
  if (sign === undefined || digits.length > 66) return undefined;
  const absolute = BigInt(digits.replace(/^0[oO]?(?=[0-7])/, "0o"));
  const value = sign === "-" ? -absolute : absolute;
  if (value < -(2n ** 63n) || value >= 2n ** 64n) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function fraction(text: string): number | undefined {
  if (!/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
