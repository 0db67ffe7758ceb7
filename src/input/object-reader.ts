import { fieldPath } from "../internal/field-names.js";
import { type FieldsOf, isRecord, unknownField } from "../internal/record.js";
import { isSet, refuse, typeName } from "./check.js";

export type { FieldsOf } from "../internal/record.js";

/**
 * Checks that a value is an object without unknown fields. The error for a mistyped field suggests the right field. It never shows
 * the value, which may be a secret in the wrong place.
 */
export function object<T extends object>(value: T, field: string, fields: FieldsOf<T>): T {
  if (!isRecord(value)) return refuse(field, `must be an object, got ${typeName(value)}`);
  const unknown = unknownField(value, fields);
  return unknown === undefined ? value : refuse(fieldPath(field, unknown.key), unknown.message);
}

/** Checks a value and converts it. The field is its path, for error messages. */
type Conversion<V, Rest extends unknown[], R> = (value: V, field: string, ...rest: Rest) => R;

/**
 * Reads the fields of an object, each by its name: `spec.read("tty", flag)` passes the field's value and its path `spec.tty` to
 * `flag`. Further arguments go to the conversion.
 */
export class ObjectReader<T extends object> {
  readonly #value: T;
  readonly #path: string;

  /** @throws InvalidInputError if the value is not an object or has unknown fields */
  constructor(value: T, path: string, fields: FieldsOf<T>) {
    this.#value = object(value, path, fields);
    this.#path = path;
  }

  /** Converts a field, whether it is set or not. */
  read<K extends keyof T & string, Rest extends unknown[], R>(
    key: K,
    convert: Conversion<T[K], Rest, R>,
    ...rest: Rest
  ): R {
    return convert(this.#value[key], this.path(key), ...rest);
  }

  /** Converts a field if it is set; returns `undefined` if not. */
  optional<K extends keyof T & string, Rest extends unknown[], R>(
    key: K,
    convert: Conversion<NonNullable<T[K]>, Rest, R>,
    ...rest: Rest
  ): R | undefined {
    const value = this.#value[key];
    return isSet(value) ? convert(value, this.path(key), ...rest) : undefined;
  }

  isSet(key: keyof T & string): boolean {
    return isSet(this.#value[key]);
  }

  /** Returns the path of a field, for error messages. */
  path(key: keyof T & string): string {
    return fieldPath(this.#path, key);
  }

  /** Refuses a field without showing its value. */
  refuse(key: keyof T & string, message: string): never {
    return refuse(this.path(key), message);
  }
}
