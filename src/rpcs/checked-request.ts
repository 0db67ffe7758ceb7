import { InvalidInputError } from "../errors.js";
import { checkOptions } from "../input/call-options.js";
import { fieldPath } from "../internal/field-names.js";
import { type IntegerType, isWithin } from "../internal/integers.js";
import {
  type FieldShape,
  type Fields,
  type MessageShape,
  type MessageType,
  shapeOf,
} from "../internal/message-shape.js";
import { type RawCallOptions, rawCallFields } from "../transport/wire-options.js";

/**
 * Refuses a request in which a value has the wrong type. The generated code would convert it: it sends a grace period of "abc"
 * as 0, which kills the container at once. The compiler finds these mistakes only in TypeScript without casts.
 *
 * @throws InvalidInputError that names the field; it omits strings and bytes, which may be secrets
 */
export function checkRequest<T>(type: MessageType<T>, request: unknown): void {
  checkMessage(type, request ?? {}, "request");
}

/**
 * Does the same for any message.
 *
 * @param name the name of the message in the error
 */
export function checkMessage<T>(type: MessageType<T>, message: unknown, name: string): void {
  checkFields(shapeOf(type), message, { key: name });
}

/** The part of a generated service that has the types of its requests. */
interface Service {
  readonly methods: Readonly<
    Record<string, { readonly requestType: MessageType<unknown>; readonly responseStream: boolean }>
  >;
}

/**
 * Returns stubs that check each request with {@link checkRequest} before any I/O. If it is refused, a unary call rejects and a
 * streaming call throws.
 */
export function checkedStubs<Stubs extends object>(stubs: Stubs, { methods }: Service): Stubs {
  const checked = Object.entries(methods).map(([name, { requestType, responseStream }]) => {
    const send = stubs[name as keyof Stubs] as (request: unknown, options?: RawCallOptions) => unknown;
    const checkAndSend = (request: unknown, options?: RawCallOptions) => {
      checkOptions(options, rawCallFields);
      checkRequest(requestType, request);
      return send(request, options);
    };
    return [name, responseStream ? checkAndSend : async (...call: Parameters<typeof send>) => checkAndSend(...call)];
  });
  return Object.fromEntries(checked) as Stubs;
}

/** The path of a value. Only an error converts it to a string, because that takes longer than the check. */
interface Path {
  readonly parent?: Path;
  readonly key: string | number;
}

function checkFields(shape: MessageShape, message: unknown, path: Path): void {
  if (typeof message !== "object" || message === null) throw refuse(path, "must be a message object");
  for (const key of Object.keys(message)) {
    const field = shape.fields.get(key);
    const value = (message as Fields)[key];
    if (!field || value === undefined) continue;
    const at = { parent: path, key };
    if (!field.repeated) checkValue(shape, field, key, value, at);
    else if (!Array.isArray(value)) throw refuse(at, "must be an array");
    else
      for (let index = 0; index < value.length; index++)
        checkValue(shape, field, key, value[index], { parent: at, key: index });
  }
}

function checkValue(shape: MessageShape, { kind }: FieldShape, key: string, value: unknown, path: Path): void {
  switch (kind) {
    case "message":
      // The generated code takes null for a message that is not set.
      if (value !== null) checkFields(shape.nested(key), value, path);
      return;
    case "string":
    case "boolean":
      if (typeof value !== kind) throw refuse(path, `must be a ${kind}`);
      return;
    case "bytes":
      if (!(value instanceof Uint8Array)) throw refuse(path, "must be bytes: a Uint8Array, such as Buffer.from(text)");
      return;
    case "int64":
    case "uint64":
      if (!isLong(value, kind))
        throw refuse(path, `must be a whole number (${kind}): a number, a Long, or digits`, value);
      return;
    case "int32":
    case "uint32":
      if (!isNumber(value, kind)) throw refuse(path, `must be a whole number (${kind})`, value);
      return;
    case "enum":
      if (!isNumber(value, "int32")) throw refuse(path, "must be a number of the enum (int32)", value);
      return;
    case "double":
      if (typeof value !== "number") throw refuse(path, "must be a number", value);
      return;
    case "map":
      checkStringMap(value, path);
  }
}

function isNumber(value: unknown, type: IntegerType): boolean {
  return typeof value === "number" && isWithin(type, value);
}

/** Returns whether a 64-bit number is exact and in range: the generated code would drop the higher bits. */
function isLong(value: unknown, type: IntegerType): boolean {
  if (typeof value === "string") return /^-?\d+$/.test(value) && isWithin(type, BigInt(value));
  // A copied Long is a plain object with both halves, which the generated code accepts, too.
  const isHalves = typeof value === "object" && value !== null && "low" in value && "high" in value;
  return isHalves || (Number.isSafeInteger(value) && isNumber(value, type));
}

function checkStringMap(map: unknown, path: Path): void {
  if (typeof map !== "object" || map === null) throw refuse(path, "must be an object of strings");
  for (const key of Object.keys(map)) {
    const at = { parent: path, key };
    // The generated code would drop this key, and a filter without its only label selects everything.
    if (key === "__proto__") throw refuse(at, "this key cannot be sent");
    if (typeof (map as Fields)[key] !== "string") throw refuse(at, "must be a string");
  }
}

function refuse(path: Path, message: string, ...value: unknown[]): InvalidInputError {
  return new InvalidInputError({ field: pathString(path), message, ...(value.length > 0 && { value: value[0] }) });
}

function pathString({ parent, key }: Path): string {
  return fieldPath(parent ? pathString(parent) : "", key);
}
