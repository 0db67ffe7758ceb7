import { InvalidInputError } from "../errors.js";
import { camelCase } from "../internal/field-names.js";
import { redact } from "../internal/redact.js";
import { typeName } from "../internal/type-name.js";

/** Throws an error for an invalid value. Shows the value, unless it is secret or an object. */
export function refuse(path: string, message: string, value: unknown): never {
  const field = path === "" ? "json" : path;
  if (typeof value === "object") throw new InvalidInputError({ field, message: `${message}, got ${typeName(value)}` });
  const key = camelCase(/([^.[\]]+)(\[\d+\])?$/.exec(field)?.[1] ?? field);
  throw new InvalidInputError({ field, message, value: redact({ [key]: value })[key] });
}
