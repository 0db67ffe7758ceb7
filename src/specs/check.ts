/*
 * The small checks that every spec is read through. Each takes a value of unknown type, because the callers may write plain
 * JavaScript, and either gives it back typed or throws an InvalidInputError that names the field, the value and the remedy.
 * `undefined` and `null` both mean "not set": the latter is what empty YAML keys parse to.
 */
import { InvalidInputError } from "../errors.js";
import { fieldPath } from "../internal/field-names.js";
import { typeName } from "../internal/type-name.js";

export { typeName } from "../internal/type-name.js";

/** Refuses a field without showing its value: the form for secrets, and for values that say nothing. */
export function refuse(field: string, message: string): never {
  throw new InvalidInputError({ field, message });
}

/** Refuses a field and shows its value as far as it can be shown in a few words. */
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

/** The path of a key within a field, written the way it would be typed: `spec.labels.app`, `spec.labels["a/b"]`. */
export function at(field: string, key: string | number): string {
  return fieldPath(field, key);
}

export function isSet<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

/** Every field of a spec type, once: what {@link object} compares keys with. TypeScript keeps it complete. */
export type FieldsOf<T> = { readonly [K in keyof T]-?: true };

/** A plain object that has no other keys than those listed. A key that looks like a slip of the keyboard is answered with the right one. */
export function object<T extends object>(value: T, field: string, fields: FieldsOf<T>): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return invalid(field, "must be an object", value);
  }
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(fields, key)) continue;
    const meant = closest(key, Object.keys(fields));
    refuse(
      at(field, key),
      meant === undefined
        ? `unknown field; known are ${Object.keys(fields).join(", ")}`
        : `unknown field; did you mean ${meant}?`,
    );
  }
  return value;
}

/** The known word nearest to a mistyped one, if any is near: same but for case, one a part of the other, or at most two slips apart. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  if (typed.length > 60) return undefined;
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(typed.length / 2));
  for (const candidate of known) {
    const wanted = candidate.toLowerCase();
    const partly = typed.length >= 4 && wanted.length >= 4 && (typed.startsWith(wanted) || wanted.startsWith(typed));
    const distance = typed === wanted ? 0 : Math.min(slips(typed, wanted), partly ? 1.5 : Number.POSITIVE_INFINITY);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function slips(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change));
    }
    row = next;
  }
  return row[right.length]!;
}

/** A string without NUL, which neither a kernel nor a file system takes; "" if not set. */
export function text(value: unknown, field: string): string {
  if (!isSet(value)) return "";
  if (typeof value !== "string") return invalid(field, "must be a string", value);
  if (value.includes("\0")) refuse(field, "must not contain a NUL character");
  return value;
}

/** A string that has to be there and has to say something. */
export function requiredText(value: unknown, field: string): string {
  const given = text(value, field);
  return given === "" ? refuse(field, isSet(value) ? "must not be empty" : "is required") : given;
}

export function flag(value: unknown, field: string): boolean {
  if (!isSet(value)) return false;
  return typeof value === "boolean" ? value : invalid(field, "must be true or false", value);
}

/** A whole number within bounds; the fallback if not set. */
export function integer(value: unknown, field: string, min: number, max: number, fallback: number): number {
  if (!isSet(value)) return fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    return invalid(field, `must be a whole number from ${min} to ${max}`, value);
  }
  return value === 0 ? 0 : value; // -0 is 0 here
}

export const maxUint32 = 0xffff_ffff;

/** The longest file name in bytes on Linux. */
export const maxFileName = 255;

/** One of the words of a table, and what the table has for it; the fallback if not set. */
export function word<V>(value: unknown, field: string, table: Readonly<Record<string, V>>, fallback: V): V {
  if (!isSet(value)) return fallback;
  if (typeof value === "string" && Object.hasOwn(table, value)) return table[value]!;
  const words = Object.keys(table);
  const meant = typeof value === "string" ? closest(value, words) : undefined;
  const hint = meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
  return invalid(field, `must be one of ${words.map((item) => JSON.stringify(item)).join(", ")}${hint}`, value);
}

/** An array, as a list to walk; empty if not set. */
export function list<T>(value: readonly T[] | null | undefined, field: string): readonly T[] {
  if (!isSet(value)) return [];
  return Array.isArray(value) ? Array.from(value as readonly T[]) : invalid(field, "must be an array", value);
}

export function texts(value: readonly string[] | null | undefined, field: string): string[] {
  return list(value, field).map((item, index) => present(item, at(field, index)));
}

/** A list of strings none of which may be empty. */
export function words(value: readonly string[] | null | undefined, field: string): string[] {
  return list(value, field).map((item, index) => requiredText(item, at(field, index)));
}

function present(value: unknown, field: string): string {
  return isSet(value) ? text(value, field) : invalid(field, "must be a string", value);
}

/** A map of strings, copied. Its values are not shown in errors: annotations have been known to hold secrets. */
export function textMap(
  value: Readonly<Record<string, string>> | null | undefined,
  field: string,
): Record<string, string> {
  if (!isSet(value)) return {};
  if (typeof value !== "object" || Array.isArray(value)) return invalid(field, "must be an object of strings", value);
  const copy: Record<string, string> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === "") refuse(field, "must not have an empty key");
    // Assigning it would set the prototype of the message's map instead of an entry.
    if (key === "__proto__") refuse(at(field, key), "this key cannot be sent");
    if (typeof item !== "string") {
      const remedy = typeof item === "number" || typeof item === "boolean" ? "; put it in quotes" : "";
      refuse(at(field, key), `must be a string${remedy}, got ${typeName(item)}`);
    }
    copy[key] = item;
  }
  return copy;
}

/** Whether a path is absolute, on Linux or on Windows (`C:\…`, `C:/…`, `\\.\pipe\…`). */
function isAbsolute(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** An absolute path that has to be there. */
export function absolutePath(value: unknown, field: string): string {
  const path = requiredText(value, field);
  return isAbsolute(path) ? path : invalid(field, "must be an absolute path", path);
}

/** An absolute path; "" if not set. */
export function optionalPath(value: unknown, field: string): string {
  return isSet(value) && value !== "" ? absolutePath(value, field) : "";
}

/** A relative path that stays below where it starts; "" if not set. */
export function innerPath(value: unknown, field: string): string {
  const path = text(value, field);
  if (isAbsolute(path)) invalid(field, "must be a relative path", path);
  if (path.split(/[\\/]/).includes("..")) invalid(field, "must not contain '..'", path);
  return path;
}

/**
 * A name of a pod, namespace or container. CRI has no rule but that it must not be empty; letters, digits, `-`, `_` and `.`
 * are what survives in log paths and in the names that runtimes put together from it.
 */
export function objectName(value: unknown, field: string): string {
  const name = requiredText(value, field);
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name) || name.length > 253) {
    invalid(
      field,
      "must be letters, digits, '-', '_' and '.', begin and end with a letter or digit, and be at most 253 long",
      name,
    );
  }
  return name;
}

/** Runs a spec's `patch`, the last word on the wire message. */
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
      "must leave metadata and annotations in place, changed if need be: runtimes and this package go by them",
    );
  }
}
