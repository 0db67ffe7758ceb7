/* The JSON that `JSON.stringify` writes for the messages that the client returns. */
import {
  type FieldKind,
  type FieldShape,
  type Fields,
  type MessageShape,
  type MessageType,
  shapeOf,
} from "../internal/message-shape.js";
import { Long } from "../proto.js";
import type { JsonObject, JsonValue } from "./message-json.js";
import { define } from "./read-message.js";

const descriptors = new WeakMap<object, PropertyDescriptor>();

/**
 * Adds `toJSON` to a message, which `JSON.stringify` calls. It writes the message as {@link messageToJson} does, but also writes
 * fields at their default, such as the state of a ready pod or a created container.
 *
 * The method is a property of the message, and not enumerable. Equality, spread, `structuredClone` and `util.inspect` therefore
 * ignore it; a prototype would change all of them.
 */
export function withToJson<T extends object>(type: MessageType<T>, message: T): T {
  let descriptor = descriptors.get(type);
  if (!descriptor) {
    const toJSON = function toJSON(this: Fields) {
      return toJsonData(shapeOf(type), this);
    };
    descriptor = { value: toJSON, enumerable: false, configurable: true, writable: true };
    descriptors.set(type, descriptor);
  }
  // An entry of a list that has not changed already has it.
  if ((message as { toJSON?: unknown }).toJSON === descriptor.value) return message;
  // Unlike Object.defineProperty, does not throw if a middleware has frozen the reply.
  Reflect.defineProperty(message, "toJSON", descriptor);
  return message;
}

/** Converts a message to JSON data. Values that the program has added or replaced are written unchanged. */
function toJsonData(shape: MessageShape, message: Fields): JsonObject {
  const json: JsonObject = {};
  for (const key of Object.keys(message)) {
    const value = message[key];
    const field = shape.fields.get(key);
    // Messages have no such key. Assigning to `__proto__` would set the prototype.
    if (field === undefined) define(json, key, value);
    else json[key] = (typeof value === "string" ? value : toField(shape, key, field, value)) as JsonValue;
  }
  return json;
}

function toField(shape: MessageShape, key: string, { kind, repeated }: FieldShape, value: unknown): unknown {
  return repeated && Array.isArray(value)
    ? value.map((element) => toValue(shape, key, kind, element))
    : toValue(shape, key, kind, value);
}

function toValue(shape: MessageShape, key: string, kind: FieldKind, value: unknown): unknown {
  if (typeof value === "number") {
    if (kind === "enum") return shape.enumName(key, value) ?? value;
    return kind === "double" && !Number.isFinite(value) ? String(value) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (kind === "message") return toJsonData(shape.nested(key), value as Fields);
  if (Long.isLong(value)) return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
