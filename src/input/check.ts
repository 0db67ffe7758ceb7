/**
 * The checks for all specs. Each takes a value of unknown type, because callers may write plain JavaScript. It returns the value
 * with its type, or throws an InvalidInputError that names the field, the value and the remedy. `undefined` and `null` both mean
 * "not set": empty keys in YAML parse to `null`.
 *
 * @module
 */
import { InvalidInputError } from "../errors.js";
import { closest } from "../internal/closest.js";
import { fieldPath } from "../internal/field-names.js";
import { isRecord } from "../internal/record.js";
import { typeName } from "../internal/type-name.js";

export { typeName } from "../internal/type-name.js";

/** Refuses a field without showing its value, which is secret or of no use to the reader. */
export function refuse(field: string, message: string): never {
  throw new InvalidInputError({ field, message });
}

/** Refuses a field and shows its value, or the type of a value that is not a string, number or boolean. */
export function invalid(field: string, message: string, value: unknown): never {
  if (
    typeof value === "string" ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value))
  ) {
    throw new InvalidInputError({ field, message, value });
  }
  const shown = typeof value === "number" || typeof value === "bigint" ? String(value).slice(0, 60) : typeName(value);
  return refuse(field, `${message}, got ${shown}`);
}

export function isSet<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

/** Checks a string. Refuses NUL, which neither kernels nor file systems accept. Returns "" if not set. */
export function optionalString(value: unknown, field: string): string {
  if (!isSet(value)) return "";
  if (typeof value !== "string") return invalid(field, "must be a string", value);
  if (value.includes("\0")) refuse(field, "must not contain a NUL character");
  return value;
}

/** Checks a string that must be set and not empty. */
export function requiredString(value: unknown, field: string): string {
  const given = optionalString(value, field);
  return given === "" ? refuse(field, isSet(value) ? "must not be empty" : "is required") : given;
}

/** Checks a boolean. Returns false if not set. */
export function flag(value: unknown, field: string): boolean {
  if (!isSet(value)) return false;
  return typeof value === "boolean" ? value : invalid(field, "must be true or false", value);
}

/** Checks a whole number within bounds. Returns the fallback if not set. */
export function integer(value: unknown, field: string, min: number, max: number, fallback: number): number {
  if (!isSet(value)) return fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    return invalid(field, `must be a whole number from ${min} to ${max}`, value);
  }
  return value === 0 ? 0 : value; // -0 becomes 0
}

export const maxUint32 = 0xffff_ffff;

/** The longest file name in bytes on Linux. */
export const maxFileName = 255;

/** Returns the entry of a table for one of its keys, or the fallback if not set. */
export function oneOf<V>(value: unknown, field: string, table: Readonly<Record<string, V>>, fallback: V): V {
  if (!isSet(value)) return fallback;
  if (typeof value === "string" && Object.hasOwn(table, value)) return table[value]!;
  const names = Object.keys(table);
  const meant = typeof value === "string" ? closest(value, names) : undefined;
  const hint = meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
  return invalid(field, `must be one of ${names.map((name) => JSON.stringify(name)).join(", ")}${hint}`, value);
}

/** Converts the elements of an array, one by one. Returns an empty array if not set. */
export function list<T, R>(
  value: readonly T[] | null | undefined,
  field: string,
  convert: (item: T, field: string) => R,
): R[] {
  if (!isSet(value)) return [];
  if (!Array.isArray(value)) return invalid(field, "must be an array", value);
  // Array.from visits holes of the array, too.
  return Array.from(value as readonly T[], (item, index) => convert(item, fieldPath(field, index)));
}

/** Checks an array of strings, which may be empty strings. */
export function strings(value: readonly string[] | null | undefined, field: string): string[] {
  return list(value, field, (item, path) =>
    isSet(item) ? optionalString(item, path) : invalid(path, "must be a string", item),
  );
}

/** Checks an array of strings, none of which may be empty. */
export function nonEmptyStrings(value: readonly string[] | null | undefined, field: string): string[] {
  return list(value, field, requiredString);
}

/**
 * Checks and copies an object of strings. Returns an empty object if not set. Errors do not show values, because annotations can
 * contain secrets.
 */
export function stringMap(
  value: Readonly<Record<string, string>> | null | undefined,
  field: string,
): Record<string, string> {
  if (!isSet(value)) return {};
  if (!isRecord(value)) return invalid(field, "must be an object of strings", value);
  const copy: Record<string, string> = {};
  for (const [key, item] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    if (key === "") refuse(field, "must not have an empty key");
    // Assigning this key would set the prototype of the message's map.
    if (key === "__proto__") refuse(fieldPath(field, key), "this key cannot be sent");
    if (typeof item !== "string") {
      const remedy = typeof item === "number" || typeof item === "boolean" ? "; put it in quotes" : "";
      refuse(fieldPath(field, key), `must be a string${remedy}, got ${typeName(item)}`);
    }
    copy[key] = item;
  }
  return copy;
}

/** Returns whether a path is absolute, on Linux or on Windows (`C:\…`, `C:/…`, `\\.\pipe\…`). */
function isAbsolute(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** Checks an absolute path that must be set. */
export function absolutePath(value: unknown, field: string): string {
  const path = requiredString(value, field);
  return isAbsolute(path) ? path : invalid(field, "must be an absolute path", path);
}

/** Checks an absolute path. Returns "" if not set. */
export function optionalPath(value: unknown, field: string): string {
  return isSet(value) && value !== "" ? absolutePath(value, field) : "";
}

/** Checks a relative path without `..`. Returns "" if not set. */
export function innerPath(value: unknown, field: string): string {
  const path = optionalString(value, field);
  if (isAbsolute(path)) invalid(field, "must be a relative path", path);
  if (path.split(/[\\/]/).includes("..")) invalid(field, "must not contain '..'", path);
  return path;
}

/**
 * Checks the name of a pod, namespace or container. CRI only requires that it is not empty. Letters, digits, `-`, `_` and `.` are
 * safe in log paths and in the names that runtimes derive from it.
 */
export function objectName(value: unknown, field: string): string {
  const name = requiredString(value, field);
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name) || name.length > 253) {
    invalid(
      field,
      "must be letters, digits, '-', '_' and '.', begin and end with a letter or digit, and be at most 253 long",
      name,
    );
  }
  return name;
}

/** Runs a spec's `patch` on the finished message. */
export function applyPatch<M extends { metadata?: object | undefined; annotations: object }>(
  patch: ((message: M) => void) | null | undefined,
  field: string,
  message: M,
): void {
  if (!isSet(patch)) return;
  if (typeof patch !== "function") invalid(field, "must be a function", patch);
  const result: unknown = patch(message);
  if (typeof result === "object" && result !== null && "then" in result) {
    refuse(field, "must not be asynchronous: the message is sent as soon as it returns");
  }
  if (!isSet(message.metadata) || !isSet(message.annotations)) {
    refuse(
      field,
      "must not remove metadata or annotations, which runtimes and this package need; it may change their fields",
    );
  }
}
