/*
 * Go's JSON of CRI: the output of encoding/json for the types in k8s.io/cri-api. crictl reads its configuration files in this
 * format, and containerd and CRI-O print their configuration in it. It differs from protobuf's JSON in keys, enums, numbers and
 * the values of environment variables, which cri-api's api_json.go writes as plain strings. crictl's output mixes both formats.
 */
import { InvalidInputError } from "../errors.js";
import { fieldPath, normalizeName, snakeCase } from "../internal/field-names.js";
import { type Fields, type MessageShape, type MessageType, shapeOf } from "../internal/message-shape.js";
import type { FieldsOf } from "../internal/record.js";
import { fromRfc3339, toRfc3339Nano } from "../internal/time.js";
import { typeName } from "../internal/type-name.js";
import { Long } from "../proto.js";
import { type JsonObject, type JsonValue, readBase64 } from "./message-json.js";
import { type Dialect, isObject, type JsonReadOptions, readMap, readMessage } from "./read-message.js";
import { checkOptions, refuse } from "./refusal.js";
import { readLong } from "./scalars.js";

/** The int64 fields that hold nanoseconds since 1970 and that crictl prints as times. */
const times: ReadonlySet<string> = new Set(["createdAt", "startedAt", "finishedAt"]);

/** The only bytes field that is a plain string in Go's JSON: the value of a KeyValue. The others contain output of commands. */
const plainBytes = "value";

/** Options of {@link messageToGoJson}. */
export interface GoJsonWriteOptions {
  /**
   * Writes U+FFFD for invalid UTF-8 in the value of an environment variable, as Go does, instead of throwing.
   *
   * @defaultValue false
   */
  replaceInvalidUtf8?: boolean | undefined;
}

const writeFields: FieldsOf<GoJsonWriteOptions> = { replaceInvalidUtf8: true };

/**
 * Reads a message from Go's JSON of CRI, as data or JSON text: configuration files of `crictl runp` and `crictl create`, output of
 * `crictl inspect -o json`, and the configuration in a runtime's verbose info.
 *
 * Keys may be in snake_case or camelCase, in upper or lower case. Values of environment variables are plain strings. Enums are
 * numbers or names. 64-bit numbers are numbers, bigints or strings of digits, and are read exactly from JSON text. Times
 * (`createdAt`, `startedAt`, `finishedAt`, `timestamp`) are nanoseconds or RFC 3339; the year 1 means "not set" in Go and
 * becomes 0.
 *
 * @throws InvalidInputError like {@link messageFromJson}. Set `ignoreUnknownFields` to ignore unknown keys, as Go's tools do.
 */
export function messageFromGoJson<T>(type: MessageType<T>, json: unknown, options: JsonReadOptions = {}): T {
  return readMessage(shapeOf(type), json, goDialect, options) as T;
}

/**
 * Converts a message to Go's JSON of CRI, which `crictl runp` and `crictl create` read: keys in snake_case, values of
 * environment variables as plain strings, enums and 64-bit numbers as numbers, times as RFC 3339 in UTC. Fields at their
 * default are omitted.
 *
 * A 64-bit number that is not exact as a JavaScript number becomes a string of digits. {@link messageFromGoJson} reads it, but Go's
 * encoding/json refuses it. The result includes secrets: pass `redact(message)` to log it.
 *
 * @throws InvalidInputError if the value of an environment variable is not UTF-8, which Go's JSON cannot represent
 */
export function messageToGoJson<T>(type: MessageType<T>, message: T, options: GoJsonWriteOptions = {}): JsonObject {
  checkOptions(options, writeFields);
  const writer = new GoJsonWriter(options.replaceInvalidUtf8 ?? false, String);
  return writer.message(shapeOf(type), message as Fields, "") as JsonObject;
}

/** Like {@link messageToGoJson}, but a 64-bit number that is not exact as a JavaScript number becomes a `bigint`. */
export function messageToExactGoJson<T>(type: MessageType<T>, message: T): object {
  return new GoJsonWriter(false, (long) => BigInt(long.toString())).message(shapeOf(type), message as Fields, "");
}

/** Go's JSON of CRI. */
export const goDialect: Dialect = {
  key: (shape, name) => {
    if (shape.fields.has(name)) return name;
    const wanted = normalizeName(name);
    return [...shape.fields.keys()].find((key) => normalizeName(key) === wanted);
  },
  name: snakeCase,
  bytes(value, path, key) {
    if (key !== plainBytes) return readBase64(value, path);
    if (typeof value === "string") return new TextEncoder().encode(value);
    const remedy = typeof value === "number" || typeof value === "boolean" ? "; put it in quotes" : "";
    throw new InvalidInputError({ field: path, message: `must be a string, got ${typeName(value)}${remedy}` });
  },
  int64(value, path, key) {
    const isTime = times.has(key) || key === "timestamp";
    if (!isTime || typeof value !== "string" || !value.includes("T")) return readLong(value, path, false);
    if (value.startsWith("0001-01-01T00:00:00")) return Long.ZERO;
    return fromRfc3339(value) ?? refuse(path, "must be nanoseconds, or a time in RFC 3339 from 1678 to 2261", value);
  },
  map(value, path, key) {
    // Runtimes store JSON text in the map under `info`. crictl prints its content in place of the map.
    const isPrintedInfo =
      key === "info" && isObject(value) && Object.values(value).some((item) => typeof item !== "string");
    return isPrintedInfo ? { info: JSON.stringify(value, bigintAsDigits) } : readMap(value, path);
  },
};

/** Converts a bigint to digits, because `JSON.stringify` refuses it. */
function bigintAsDigits(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Data of JSON, with bigints. */
type ExactJson = JsonValue | bigint | ExactJson[] | { [key: string]: ExactJson };

class GoJsonWriter {
  readonly #decoder: InstanceType<typeof TextDecoder>;
  readonly #writeLarge: (long: Long) => string | bigint;

  /** @param writeLarge converts a 64-bit number that is not exact as a JavaScript number */
  constructor(replaceInvalidUtf8: boolean, writeLarge: (long: Long) => string | bigint) {
    this.#decoder = new TextDecoder("utf-8", { fatal: !replaceInvalidUtf8, ignoreBOM: true });
    this.#writeLarge = writeLarge;
  }

  message(shape: MessageShape, message: Fields, path: string): { [key: string]: ExactJson } {
    const json: { [key: string]: ExactJson } = {};
    for (const [key, { kind, repeated }] of shape.fields) {
      const place = fieldPath(path, key);
      const value = message[key];
      const written = repeated
        ? ((value ?? []) as unknown[]).map((element, index) =>
            this.#value(shape, key, element, fieldPath(place, index)),
          )
        : this.#value(shape, key, value, place);
      if (!isOmitted(written, kind === "message")) json[snakeCase(key)] = written as ExactJson;
    }
    return json;
  }

  #value(shape: MessageShape, key: string, value: unknown, path: string): ExactJson | undefined {
    if (value === undefined || value === null) return undefined;
    if (Long.isLong(value)) return this.#long(value, key);
    if (value instanceof Uint8Array) return this.#bytes(value, key, path);
    switch (shape.fields.get(key)?.kind) {
      case "message":
        return this.message(shape.nested(key), value as Fields, path);
      case "map":
        return { ...(value as Record<string, string>) };
      case "double":
        return Number.isFinite(value) ? (value as number) : String(value);
      default:
        return value as JsonValue;
    }
  }

  #long(value: Long, key: string): ExactJson {
    const time = times.has(key) ? toRfc3339Nano(value) : undefined;
    if (time !== undefined) return time;
    const number = value.toNumber();
    return Number.isSafeInteger(number) ? number : this.#writeLarge(value);
  }

  #bytes(value: Uint8Array, key: string, path: string): string {
    if (key !== plainBytes) return Buffer.from(value).toString("base64");
    try {
      return this.#decoder.decode(value);
    } catch {
      const remedy = "use messageToJson, or replaceInvalidUtf8";
      throw new InvalidInputError({
        field: path,
        message: `is not UTF-8, which Go's JSON cannot represent; ${remedy}`,
      });
    }
  }
}

/** Returns whether Go's `omitempty` omits a value. An empty message counts as set. */
function isOmitted(value: unknown, isMessage: boolean): boolean {
  if (value === undefined || value === 0 || value === "" || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return !isMessage && isObject(value) && Object.keys(value).length === 0;
}
