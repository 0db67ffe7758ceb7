import { InvalidInputError } from "../errors.js";
import { camelCase, fieldPath } from "../internal/field-names.js";
import { type FieldsOf, isRecord, unknownField } from "../internal/record.js";
import { redact } from "../internal/redact.js";
import { typeName } from "../internal/type-name.js";

/** Throws an error for an invalid value. Shows the value, unless it is secret or an object. */
export function refuse(path: string, message: string, value: unknown): never {
  const field = path === "" ? "json" : path;
  if (typeof value === "object") throw new InvalidInputError({ field, message: `${message}, got ${typeName(value)}` });
  const key = camelCase(/([^.[\]]+)(\[\d+\])?$/.exec(field)?.[1] ?? field);
  throw new InvalidInputError({ field, message, value: redact({ [key]: value })[key] });
}

/** Checks that options are an object without unknown fields. The function of `input/` that does this is on the same layer. */
export function checkOptions<T extends object>(options: T, fields: FieldsOf<T>): void {
  if (!isRecord(options)) {
    throw new InvalidInputError({ field: "options", message: `must be an object, got ${typeName(options)}` });
  }
  const unknown = unknownField(options, fields, "option");
  if (unknown) throw new InvalidInputError({ field: fieldPath("", unknown.key), message: unknown.message });
}
