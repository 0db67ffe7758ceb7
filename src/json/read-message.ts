/*
 * Reads a message from JSON data field by field. Refuses every invalid value, which the generated `fromJSON` would convert. A
 * dialect defines the differences between protobuf's JSON and Go's JSON of CRI.
 */

import { InvalidInputError } from "../errors.js";
import { closest } from "../internal/closest.js";
import { fieldPath, normalizeName } from "../internal/field-names.js";
import type { Fields, MessageShape } from "../internal/message-shape.js";
import type { FieldsOf } from "../internal/record.js";
import type { Long } from "../proto.js";
import { parseExactly } from "./exact-json.js";
import { checkOptions, refuse } from "./refusal.js";
import { readDouble, readEnum, readInteger, readLong } from "./scalars.js";

/** Options of `messageFromJson` and `messageFromGoJson`. */
export interface JsonReadOptions {
  /** Ignores unknown keys instead of refusing them. @defaultValue false */
  ignoreUnknownFields?: boolean | undefined;
}

const readFields: FieldsOf<JsonReadOptions> = { ignoreUnknownFields: true };

/** How one JSON format represents keys and values. */
export interface Dialect {
  /** Returns the key of the field for a name in JSON, if the message has the field. */
  key(shape: MessageShape, name: string): string | undefined;
  /** Returns the usual name of a field in JSON, for error messages. */
  name(key: string): string;
  /** @param key the key of the field */
  bytes(value: unknown, path: string, key: string): Uint8Array;
  int64(value: unknown, path: string, key: string): Long;
  map(value: unknown, path: string, key: string): Fields;
  /** Reads a value that is not a string as one. Without this function, such a value is refused. */
  string?(value: unknown, path: string): string;
}

/**
 * Called for each fault, instead of throwing the first one.
 *
 * @param isIgnorable whether the fault is an unknown field, which Go's tools ignore
 */
export type OnFault = (error: InvalidInputError, isIgnorable: boolean) => void;

/** Reads a message from JSON text, or from the result of `JSON.parse`. */
export function readMessage(shape: MessageShape, json: unknown, dialect: Dialect, options: JsonReadOptions): Fields {
  checkOptions(options, readFields);
  const data = typeof json === "string" ? parseExactly(json) : json;
  const ignoreUnknown = options.ignoreUnknownFields ?? false;
  const throwFault: OnFault = (error, isIgnorable) => {
    if (!ignoreUnknown || !isIgnorable) throw error;
  };
  return new MessageReader(dialect, throwFault).message(shape, data, "");
}

/** Reads a message from data, and reports all its faults. Fields with faults keep their defaults. */
export function readWithFaults(shape: MessageShape, data: object, dialect: Dialect, onFault: OnFault): Fields {
  return new MessageReader(dialect, onFault).message(shape, data, "");
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
  readonly #onFault: OnFault;

  constructor(dialect: Dialect, onFault: OnFault) {
    this.#dialect = dialect;
    this.#onFault = onFault;
  }

  message(shape: MessageShape, json: unknown, path: string): Fields {
    if (!isObject(json)) return refuse(path, "must be an object", json);
    const message = shape.create();
    const givenAs = new Map<string, string>();
    for (const [name, value] of Object.entries(json)) {
      const key = this.#dialect.key(shape, name);
      if (key === undefined) {
        this.#onFault(unknownField(this.#dialect, shape, name, path), true);
        continue;
      }
      const place = fieldPath(path, name);
      const other = givenAs.get(key);
      if (other !== undefined) {
        const twice = `is set twice, also as ${other}; keep one of them`;
        this.#onFault(new InvalidInputError({ field: place, message: twice }), false);
      }
      givenAs.set(key, name);
      if (value === null || value === undefined) continue;
      const read = this.#attempt(() => this.#field(shape, key, value, place));
      if (read !== undefined) message[key] = read;
    }
    return message;
  }

  #field(shape: MessageShape, key: string, value: unknown, path: string): unknown {
    if (shape.fields.get(key)?.repeated !== true) return this.#value(shape, key, value, path);
    if (!Array.isArray(value)) return refuse(path, "must be an array", value);
    const elements = value.map((element, index) =>
      this.#attempt(() => this.#value(shape, key, element, fieldPath(path, index))),
    );
    return elements.filter((element) => element !== undefined);
  }

  /** Reports the error of a value that is refused, and returns `undefined` for it. */
  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      this.#onFault(error, false);
      return undefined;
    }
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
        if (typeof value === "string") return value;
        return this.#dialect.string?.(value, path) ?? refuse(path, "must be a string", value);
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

function unknownField(dialect: Dialect, shape: MessageShape, name: string, path: string): InvalidInputError {
  const known = [...shape.fields.keys()].map((key) => dialect.name(key));
  const meant =
    known.find((candidate) => normalizeName(candidate) === normalizeName(name)) ??
    inNestedMessage(dialect, shape, name) ??
    closest(name, known);
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`;
  // The key may be an environment variable in the form NAME=value, and the value may be secret.
  const shown = name.replace(/=.*/s, "=…");
  return new InvalidInputError({ field: fieldPath(path, shown), message: `unknown field; ${hint}` });
}

/** Finds a field that belongs one level deeper, such as `linux.resources`. */
function inNestedMessage(dialect: Dialect, shape: MessageShape, name: string): string | undefined {
  for (const [key, { kind, repeated }] of shape.fields) {
    const inner = kind === "message" && !repeated ? dialect.key(shape.nested(key), name) : undefined;
    if (inner !== undefined) return `${dialect.name(key)}.${dialect.name(inner)}`;
  }
  return undefined;
}
