/* Converts messages to JSON and back, by the rules of protobuf's JSON format. */
import { InvalidInputError } from "../errors.js";
import { camelCase } from "../internal/field-names.js";
import { type MessageType, shapeOf } from "../internal/message-shape.js";
import { typeName } from "../internal/type-name.js";
import { type Dialect, define, type JsonReadOptions, readMap, readMessage } from "./read-message.js";
import { readLong } from "./scalars.js";

/** Any value that `JSON.parse` can return. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** JSON data of a message. */
export type JsonObject = { [key: string]: JsonValue };

/**
 * Converts a message to JSON data for `JSON.stringify`, by protobuf's rules: int64 and uint64 as decimal strings, bytes as
 * base64, enums by name and keys in camelCase. Enum numbers without a name in this schema stay numbers. Fields at their default
 * (zero, empty, absent) are omitted, including enums: a container without `state` is CONTAINER_CREATED.
 *
 * The result includes secrets: pass `redact(message)` to log it. For crictl's files, use {@link messageToGoJson}.
 */
export function messageToJson<T>(type: MessageType<T>, message: T): JsonObject {
  const json = type.toJSON(message) as JsonObject;
  repair(message, json);
  return json;
}

/**
 * Reads a message from JSON data or JSON text, by protobuf's rules. Missing fields get their defaults.
 *
 * Accepts the result of {@link messageToJson} and these variants: keys in camelCase or as in the .proto file (`log_directory`);
 * 64-bit numbers as decimal strings, bigints or exact numbers; enums by name or number, with unknown numbers kept; bytes as
 * base64; `null` for "not set". In JSON text, 64-bit numbers of any size are read exactly.
 *
 * Bytes must be base64. A plain string such as `prod` is also valid base64 and would become other bytes. Use
 * {@link messageFromGoJson} for crictl's files and for the configuration that containerd prints.
 *
 * @throws InvalidInputError for anything else: an unknown key, an unknown enum name, a value of the wrong type or out of range.
 * The error has the path of the field, its value unless it is secret, and the remedy. Nothing is dropped or converted silently.
 */
export function messageFromJson<T>(type: MessageType<T>, json: unknown, options: JsonReadOptions = {}): T {
  return readMessage(shapeOf(type), json, protobufDialect, options) as T;
}

const protobufDialect: Dialect = {
  key(shape, name) {
    const key = shape.fields.has(name) ? name : camelCase(name);
    return shape.fields.has(key) ? key : undefined;
  },
  name: (key) => key,
  bytes: readBase64,
  int64: (value, path) => readLong(value, path, false),
  map: readMap,
};

/** Reads base64. Errors never show the value, because bytes contain output of commands and values of environment variables. */
export function readBase64(value: unknown, path: string): Uint8Array {
  const isBase64 =
    typeof value === "string" && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) && value.replace(/=+$/, "").length % 4 !== 1;
  if (isBase64) return Uint8Array.from(Buffer.from(value, "base64"));
  const given =
    typeof value === "string"
      ? "a string that is not base64; for plain strings, as in crictl's files, use messageFromGoJson"
      : typeName(value);
  throw new InvalidInputError({ field: path, message: `must be bytes in base64, got ${given}` });
}

/** Restores the values that the generated `toJSON` loses. The message and its JSON have the same structure. */
function repair(message: unknown, json: unknown): void {
  if (typeof message !== "object" || message === null || typeof json !== "object" || json === null) return;
  for (const [key, value] of Object.entries(message)) {
    if (!Object.hasOwn(json, key)) {
      // The generated code assigns this key, which has no effect.
      if (key === "__proto__" && typeof value === "string") define(json, key, value);
      continue;
    }
    const target = json as { [key: string]: unknown };
    // The generated code writes the same name for every unknown enum number.
    if (typeof value === "number" && target[key] === "UNRECOGNIZED") target[key] = value;
    else repair(value, target[key]);
  }
}
