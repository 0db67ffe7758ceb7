import { normalizeName } from "../internal/field-names.js";
import { isWithin } from "../internal/integers.js";
import type { MessageShape } from "../internal/message-shape.js";
import { Long } from "../proto.js";
import { refuse } from "./refusal.js";

/** Reads an int64 or uint64 from a number that is exact, a bigint, or a string of digits. */
export function readLong(value: unknown, path: string, unsigned: boolean): Long {
  const name = unsigned ? "uint64" : "int64";
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    const remedy = "write it as a string of digits, or pass the JSON text itself instead of the result of JSON.parse";
    return refuse(path, `is too large for an exact JavaScript number; ${remedy}`, value);
  }
  const isWhole =
    typeof value === "bigint" || Number.isInteger(value) || (typeof value === "string" && /^-?\d+$/.test(value));
  if (!isWhole) return refuse(path, `must be a whole number (${name}), as a number or a string of digits`, value);
  const exact = BigInt(value as bigint | number | string);
  if (!isWithin(name, exact)) return refuse(path, `is out of range for ${name}`, value);
  return Long.fromString(exact.toString(), unsigned);
}

/** Reads an enum from one of its names, or from any 32-bit number. */
export function readEnum(shape: MessageShape, key: string, value: unknown, path: string): number {
  if (typeof value === "number" && isWithin("int32", value)) return value;
  // Signals have no prefix in the schema of Kubernetes, and so in the output of Go's tools.
  const spellings = typeof value === "string" ? [value, `SIGNAL_${value}`] : [];
  const number = spellings.map((name) => shape.enumNumber(key, name)).find((found) => found !== undefined);
  if (number !== undefined) return number;
  const names = shape.enumNames(key);
  const shownNames = names.length > 12 ? [...names.slice(0, 12), "…"] : names;
  const meant =
    typeof value === "string" ? names.find((name) => normalizeName(name).endsWith(normalizeName(value))) : undefined;
  const remedy = meant === undefined ? shownNames.join(", ") : `did you mean ${meant}?`;
  return refuse(path, `must be a name of the enum or its number (${remedy})`, value);
}

/** Reads an int32 or uint32 from a number, a bigint or a string of digits. */
export function readInteger(kind: "int32" | "uint32", value: unknown, path: string): number {
  const isDigits = typeof value === "bigint" || (typeof value === "string" && /^-?\d+$/.test(value));
  const number = isDigits ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) return refuse(path, "must be a whole number", value);
  if (!isWithin(kind, number)) return refuse(path, `is out of range for ${kind}`, value);
  return number;
}

/** Reads a double from a number, a bigint, a numeric string or the name of a special value. */
export function readDouble(value: unknown, path: string): number {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  const isNumeric = typeof value === "string" && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value);
  return isNumeric ? Number(value) : refuse(path, "must be a number", value);
}
