/*
 * Messages as JSON and back, by the rules of protobuf's JSON format, with the two gaps of the generated functions closed:
 * `toJSON` turns enum numbers it does not know into "UNRECOGNIZED", and `fromJSON` reads anything as something.
 */
import { InvalidInputError } from "./errors.js";
import { type Fields, type MessageShape, type MessageType, shapeOf } from "./internal/message-shape.js";
import { redact } from "./internal/redact.js";
import { Long } from "./proto.js";

export type { MessageType } from "./internal/message-shape.js";

/** What `JSON.parse` can return. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/**
 * A message as plain JSON data, ready for `JSON.stringify`: int64 and uint64 as decimal strings, bytes as base64, enums by name and
 * keys in camelCase. An enum number this schema has no name for stays a number. Fields at their default (zero, empty, absent) are
 * left out, enums included: no `state` in a container is CONTAINER_CREATED.
 *
 * Secrets are part of the result: use `redact` for logs.
 */
export function messageToJson<T>(type: MessageType<T>, message: T): { [key: string]: JsonValue } {
  const json = type.toJSON(message) as { [key: string]: JsonValue };
  repair(message, json);
  return json;
}

/**
 * The message that JSON data describes, complete with defaults for what is missing.
 *
 * Accepts what {@link messageToJson} gives and what people write: keys in camelCase or as the .proto spells them
 * (`log_directory`), 64-bit numbers as decimal strings or as numbers that are exact, enums by name or number (unknown numbers are
 * kept), bytes as base64, `null` for "not set".
 *
 * @throws InvalidInputError for anything else (an unknown key, an unknown enum name, a value of the wrong type or out of range),
 * with the path of the field, its value unless it is secret, and what would be right. Nothing is dropped or bent into shape.
 */
export function messageFromJson<T>(type: MessageType<T>, json: unknown): T {
  return readMessage(shapeOf(type), json, "") as T;
}

/** Walks a message and its JSON side by side and puts back what the generated `toJSON` lost. Both have the same structure. */
function repair(message: unknown, json: unknown): void {
  if (typeof message !== "object" || message === null || typeof json !== "object" || json === null) return;
  for (const [key, value] of Object.entries(message)) {
    if (!Object.hasOwn(json, key)) {
      // Assigning to this one key of a map sets nothing.
      if (key === "__proto__" && typeof value === "string") define(json, key, value);
      continue;
    }
    const target = json as { [key: string]: unknown };
    if (typeof value === "number" && target[key] === "UNRECOGNIZED") target[key] = value;
    else repair(value, target[key]);
  }
}

function readMessage(shape: MessageShape, json: unknown, path: string): Fields {
  if (!isObject(json)) return refuse(path, "must be an object", json);
  const message = shape.create();
  const givenAs = new Map<string, string>();
  for (const [name, value] of Object.entries(json)) {
    const key = shape.fields.has(name) ? name : camelCase(name);
    const field = shape.fields.get(key);
    if (field === undefined) {
      const known = [...shape.fields.keys()];
      const meant = known.find((candidate) => plain(candidate) === plain(name));
      throw new InvalidInputError({
        field: below(path, name),
        message: `unknown field; ${meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`}`,
      });
    }
    const other = givenAs.get(key);
    if (other !== undefined) {
      throw new InvalidInputError({
        field: below(path, name),
        message: `given twice, as ${other} too; keep one of them`,
      });
    }
    givenAs.set(key, name);
    if (value === null || value === undefined) continue;
    const place = below(path, name);
    if (!field.repeated) message[key] = readValue(shape, key, value, place);
    else if (!Array.isArray(value)) refuse(place, "must be an array", value);
    else message[key] = value.map((element, index) => readValue(shape, key, element, `${place}[${index}]`));
  }
  return message;
}

/** The value of a field, or one element of a repeated field. */
function readValue(shape: MessageShape, key: string, value: unknown, path: string): unknown {
  switch (shape.fields.get(key)?.kind) {
    case "message":
      return readMessage(shape.nested(key), value, path);
    case "map":
      return readMap(value, path);
    case "string":
      return typeof value === "string" ? value : refuse(path, "must be a string", value);
    case "boolean":
      return typeof value === "boolean" ? value : refuse(path, "must be true or false", value);
    case "bytes":
      return readBytes(value, path);
    case "int64":
      return readLong(value, path, false);
    case "uint64":
      return readLong(value, path, true);
    case "enum":
      return readEnum(shape, key, value, path);
    case "double":
      return readDouble(value, path);
    default:
      return readInteger(shape, key, value, path);
  }
}

function readMap(json: unknown, path: string): Fields {
  if (!isObject(json)) return refuse(path, "must be an object of strings", json);
  const map: Fields = {};
  for (const [key, value] of Object.entries(json)) {
    if (typeof value !== "string") refuse(below(path, key), "must be a string", value);
    define(map, key, value);
  }
  return map;
}

/** Bytes hold output and values of environment variables, so a refusal never shows them. */
function readBytes(value: unknown, path: string): Uint8Array {
  const isBase64 =
    typeof value === "string" && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) && value.replace(/=+$/, "").length % 4 !== 1;
  if (!isBase64)
    throw new InvalidInputError({
      field: path,
      message: `must be bytes in base64, got ${typeName(value)} that is not`,
    });
  return Uint8Array.from(Buffer.from(value, "base64"));
}

function readLong(value: unknown, path: string, unsigned: boolean): Long {
  const name = unsigned ? "uint64" : "int64";
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return refuse(path, "is beyond what a JSON number holds exactly; write it as a string of digits", value);
  }
  const isWhole =
    typeof value === "number" ? Number.isInteger(value) : typeof value === "string" && /^-?\d+$/.test(value);
  if (!isWhole) return refuse(path, `must be a whole number (${name}), as a number or a string of digits`, value);
  const exact = BigInt(value as number | string);
  if (exact !== (unsigned ? BigInt.asUintN(64, exact) : BigInt.asIntN(64, exact))) {
    return refuse(path, `is out of range for ${name}`, value);
  }
  return Long.fromString(exact.toString(), unsigned);
}

function readEnum(shape: MessageShape, key: string, value: unknown, path: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value === (value | 0)) return value;
  const number = typeof value === "string" ? shape.enumNumber(key, value) : undefined;
  if (number !== undefined) return number;
  const names = shape.enumNames(key);
  const few = names.length > 12 ? [...names.slice(0, 12), "…"] : names;
  const meant = typeof value === "string" ? names.find((name) => plain(name).endsWith(plain(value))) : undefined;
  const remedy = meant === undefined ? few.join(", ") : `did you mean ${meant}?`;
  return refuse(path, `must be a name of the enum or its number (${remedy})`, value);
}

function readInteger(shape: MessageShape, key: string, value: unknown, path: string): number {
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) return refuse(path, "must be a whole number", value);
  if (!shape.fits(key, number)) return refuse(path, "is out of range for a 32-bit number", value);
  return number;
}

function readDouble(value: unknown, path: string): number {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  const isNumeric = typeof value === "string" && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value);
  return isNumeric ? Number(value) : refuse(path, "must be a number", value);
}

/** Throws for a value that is not what it should be, showing it as far as that helps and gives no secret away. */
function refuse(path: string, message: string, value: unknown): never {
  const field = path === "" ? "json" : path;
  if (typeof value === "object") throw new InvalidInputError({ field, message: `${message}, got ${typeName(value)}` });
  const key = camelCase(/([^.[\]]+)(\[\d+\])?$/.exec(field)?.[1] ?? field);
  throw new InvalidInputError({ field, message, value: (redact({ [key]: value }) as Fields)[key] });
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function below(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function camelCase(name: string): string {
  return name.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A name without what people get wrong about it. */
function plain(name: string): string {
  return name.replace(/[-_\s]/g, "").toLowerCase();
}

/** Sets an own property, also for the one key that assignment treats otherwise. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
