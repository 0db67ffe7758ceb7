/*
 * Reads a message from JSON data field by field. Refuses every invalid value, which the generated `fromJSON` would convert. A
 * dialect defines the differences between protobuf's JSON and Go's JSON of CRI.
 */

import { InvalidInputError } from "../errors.js";
import { fieldPath, normalizeName } from "../internal/field-names.js";
import type { Fields, MessageShape } from "../internal/message-shape.js";
import type { FieldsOf } from "../internal/record.js";
import type { Long } from "../proto.js";
import { parseExactly } from "./exact-json.js";
import { checkOptions, refuse } from "./refusal.js";
import { readDouble, readEnum, readInteger, readLong } from "./scalars.js";

/** Options of {@link readMessage}. */
export interface JsonReadOptions {
  /** Ignores unknown keys instead of refusing them. @defaultValue false */
  ignoreUnknownFields?: boolean | undefined;
}

const readFields: FieldsOf<JsonReadOptions> = { ignoreUnknownFields: true };

/** How one JSON format represents keys and values. */
export interface Dialect {
  /** Returns the key of the field for a name in JSON, if the message has the field. */
  key(shape: MessageShape, name: string): string | undefined;
  /** @param key the key of the field */
  bytes(value: unknown, path: string, key: string): Uint8Array;
  int64(value: unknown, path: string, key: string): Long;
  map(value: unknown, path: string, key: string): Fields;
}

/** Reads a message from JSON text, or from the result of `JSON.parse`. */
export function readMessage(shape: MessageShape, json: unknown, dialect: Dialect, options: JsonReadOptions): Fields {
  checkOptions(options, readFields);
  const data = typeof json === "string" ? parseExactly(json) : json;
  return new MessageReader(dialect, options.ignoreUnknownFields ?? false).message(shape, data, "");
}

/** Reads an object whose values are strings. */
export function readMap(json: unknown, path: string): Fields {
  if (!isObject(json)) return refuse(path, "must be an object of strings", json);
  const map: Fields = {};
  for (const [key, value] of Object.entries(json)) {
    if (typeof value !== "string") refuse(fieldPath(path, key), "must be a string", value);
    define(map, key, value);
  }
  return map;
}

/** Sets an own property. Unlike an assignment, this also works for `__proto__`. */
export function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

class MessageReader {
  readonly #dialect: Dialect;
  readonly #ignoreUnknown: boolean;

  constructor(dialect: Dialect, ignoreUnknown: boolean) {
    this.#dialect = dialect;
    this.#ignoreUnknown = ignoreUnknown;
  }

  message(shape: MessageShape, json: unknown, path: string): Fields {
    if (!isObject(json)) return refuse(path, "must be an object", json);
    const message = shape.create();
    const givenAs = new Map<string, string>();
    for (const [name, value] of Object.entries(json)) {
      const key = this.#dialect.key(shape, name);
      if (key === undefined) {
        if (this.#ignoreUnknown) continue;
        throw unknownField(shape, name, path);
      }
      const place = fieldPath(path, name);
      const other = givenAs.get(key);
      if (other !== undefined) {
        throw new InvalidInputError({ field: place, message: `is set twice, also as ${other}; keep one of them` });
      }
      givenAs.set(key, name);
      if (value === null || value === undefined) continue;
      if (shape.fields.get(key)?.repeated !== true) message[key] = this.#value(shape, key, value, place);
      else if (!Array.isArray(value)) refuse(place, "must be an array", value);
      else message[key] = value.map((element, index) => this.#value(shape, key, element, fieldPath(place, index)));
    }
    return message;
  }

  /** Reads the value of a field, or one element of a repeated field. */
  #value(shape: MessageShape, key: string, value: unknown, path: string): unknown {
    const kind = shape.fields.get(key)?.kind;
    switch (kind) {
      case "message":
        return this.message(shape.nested(key), value, path);
      case "map":
        return this.#dialect.map(value, path, key);
      case "string":
        return typeof value === "string" ? value : refuse(path, "must be a string", value);
      case "boolean":
        return typeof value === "boolean" ? value : refuse(path, "must be true or false", value);
      case "bytes":
        return this.#dialect.bytes(value, path, key);
      case "int64":
        return this.#dialect.int64(value, path, key);
      case "uint64":
        return readLong(value, path, true);
      case "enum":
        return readEnum(shape, key, value, path);
      case "double":
        return readDouble(value, path);
      case "int32":
      case "uint32":
        return readInteger(kind, value, path);
    }
    return undefined;
  }
}

function unknownField(shape: MessageShape, name: string, path: string): InvalidInputError {
  const known = [...shape.fields.keys()];
  const meant = known.find((candidate) => normalizeName(candidate) === normalizeName(name));
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`;
  // The key may be an environment variable in the form NAME=value, and the value may be secret.
  const shown = name.replace(/=.*/s, "=…");
  return new InvalidInputError({ field: fieldPath(path, shown), message: `unknown field; ${hint}` });
}
