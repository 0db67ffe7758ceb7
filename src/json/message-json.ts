/* Messages as JSON and back, by the rules of protobuf's JSON format. */
import { InvalidInputError } from "../errors.js";
import { camelCase } from "../internal/field-names.js";
import { type MessageType, shapeOf } from "../internal/message-shape.js";
import { typeName } from "../internal/type-name.js";
import { type Dialect, define, type JsonReadOptions, readMap, readMessage } from "./read-message.js";
import { readLong } from "./scalars.js";

/** What `JSON.parse` can return. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** JSON data of a message. */
export type JsonObject = { [key: string]: JsonValue };

/**
 * Converts a message to JSON data by protobuf's rules, ready for `JSON.stringify`: int64 and uint64 as decimal strings, bytes as
 * base64, enums by name and keys in camelCase. An enum number this schema has no name for stays a number. Fields at their default
 * (zero, empty, absent) are left out, enums included: no `state` in a container is CONTAINER_CREATED.
 *
 * The result includes secrets: pass `redact(message)` to log it. Files for crictl need {@link messageToGoJson}.
 */
export function messageToJson<T>(type: MessageType<T>, message: T): JsonObject {
  const json = type.toJSON(message) as JsonObject;
  repair(message, json);
  return json;
}

/**
 * Reads a message from JSON data, or from JSON text, by protobuf's rules. Missing fields get their defaults.
 *
 * Accepts what {@link messageToJson} returns and what people write: keys in camelCase or as the .proto spells them
 * (`log_directory`), 64-bit numbers as decimal strings, bigints or numbers that are exact, enums by name or number (unknown numbers are
 * kept), bytes as base64, `null` for "not set". From text, 64-bit numbers are read exactly, whatever their size.
 *
 * Bytes must be base64. Plain text such as `prod` is valid base64, too, and turns into other bytes: read crictl's files, and what
 * containerd prints of its configuration, with {@link messageFromGoJson}.
 *
 * @throws InvalidInputError for anything else (an unknown key, an unknown enum name, a value of the wrong type or out of range),
 * with the path of the field, its value unless it is secret, and the remedy. Nothing is dropped or converted silently.
 */
export function messageFromJson<T>(type: MessageType<T>, json: unknown, options: JsonReadOptions = {}): T {
  return readMessage(shapeOf(type), json, protobufDialect, options) as T;
}

const protobufDialect: Dialect = {
  key(shape, name) {
    const key = shape.fields.has(name) ? name : camelCase(name);
    return shape.fields.has(key) ? key : undefined;
  },
  bytes: readBase64,
  int64: (value, path) => readLong(value, path, false),
  map: readMap,
};

/** Bytes hold output and values of environment variables, so an error never shows them. */
export function readBase64(value: unknown, path: string): Uint8Array {
  const isBase64 =
    typeof value === "string" && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) && value.replace(/=+$/, "").length % 4 !== 1;
  if (isBase64) return Uint8Array.from(Buffer.from(value, "base64"));
  const remedy = typeof value === "string" ? "; for plain text, as in crictl's files, use messageFromGoJson" : "";
  throw new InvalidInputError({
    field: path,
    message: `must be bytes in base64, got ${typeName(value)} that is not${remedy}`,
  });
}

/** Walks a message and its JSON side by side and restores what the generated `toJSON` loses. Both have the same structure. */
function repair(message: unknown, json: unknown): void {
  if (typeof message !== "object" || message === null || typeof json !== "object" || json === null) return;
  for (const [key, value] of Object.entries(message)) {
    if (!Object.hasOwn(json, key)) {
      // Assigning to this one key of a map sets nothing.
      if (key === "__proto__" && typeof value === "string") define(json, key, value);
      continue;
    }
    const target = json as { [key: string]: unknown };
    // The generated code has one word for every enum number it does not know.
    if (typeof value === "number" && target[key] === "UNRECOGNIZED") target[key] = value;
    else repair(value, target[key]);
  }
}
