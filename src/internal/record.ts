import { closest } from "./closest.js";

/**
 * Returns whether a value is an object with named fields. Returns false for arrays, `Map`, `Set`, `Promise` and other built-ins:
 * their contents are not in fields, so that reading fields would silently find nothing.
 */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return /^\[object (?:Object|Module)\]$/.test(Object.prototype.toString.call(value));
}

/**
 * All field names of a type, for checks of the keys of an object. The compiler refuses a record that lacks a field. Error
 * messages do not mention internal fields.
 */
export type FieldsOf<T> = { readonly [K in keyof T]-?: true | "internal" };

/**
 * Finds the first key of an object that is not a known field, with an error message that suggests the right one.
 *
 * @param noun what the error message calls a field
 */
export function unknownField(
  value: object,
  fields: Readonly<Record<string, true | "internal">>,
  noun: "field" | "option" = "field",
): { key: string; message: string } | undefined {
  const key = Object.keys(value).find((candidate) => !Object.hasOwn(fields, candidate));
  if (key === undefined) return undefined;
  const known = Object.keys(fields).filter((name) => fields[name] === true);
  const meant = closest(key, known);
  const remedy = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`;
  return { key, message: `unknown ${noun}; ${remedy}` };
}
