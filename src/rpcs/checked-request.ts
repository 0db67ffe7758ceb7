import { InvalidInputError } from "../errors.js";
import { type IntegerType, isWithin } from "../internal/integers.js";
import {
  type FieldShape,
  type Fields,
  type MessageShape,
  type MessageType,
  shapeOf,
} from "../internal/message-shape.js";

/**
 * Refuses a request with a value of a wrong type. The generated code takes what it gets: a grace period of "abc" would be sent as 0,
 * which kills at once. The compiler finds such mistakes in TypeScript; this finds them in JavaScript, and in values that were cast.
 *
 * @throws InvalidInputError that names the field; values of text and bytes, which may be secrets, are not shown
 */
export function checkRequest<T>(type: MessageType<T>, request: unknown): void {
  checkFields(shapeOf(type), request ?? {}, { name: "request" });
}

/** The part of a generated service that tells the types of its requests. */
interface Service {
  readonly methods: Readonly<
    Record<string, { readonly requestType: MessageType<unknown>; readonly responseStream: boolean }>
  >;
}

/** The stubs of a service, which check each request before any I/O: a call rejects, a stream throws, with {@link checkRequest}'s error. */
export function checkedStubs<Stubs extends object>(stubs: Stubs, { methods }: Service): Stubs {
  const checked = Object.entries(methods).map(([name, { requestType, responseStream }]) => {
    const send = stubs[name as keyof Stubs] as (request: unknown, options?: object) => unknown;
    const checkAndSend = (request: unknown, options?: object) => {
      checkRequest(requestType, request);
      return send(request, options);
    };
    return [name, responseStream ? checkAndSend : async (...call: Parameters<typeof send>) => checkAndSend(...call)];
  });
  return Object.fromEntries(checked) as Stubs;
}

/** Where a value is. It becomes text only when the value is refused: nearly all are good, and text costs more than the check. */
interface Place {
  readonly parent?: Place;
  readonly name: string | number;
}

function checkFields(shape: MessageShape, message: unknown, place: Place): void {
  if (typeof message !== "object" || message === null) throw refuse(place, "must be a message object");
  for (const key of Object.keys(message)) {
    const field = shape.fields.get(key);
    const value = (message as Fields)[key];
    if (!field || value === undefined) continue;
    const at = { parent: place, name: key };
    if (!field.repeated) checkValue(shape, field, key, value, at);
    else if (!Array.isArray(value)) throw refuse(at, "must be an array");
    else
      for (let index = 0; index < value.length; index++)
        checkValue(shape, field, key, value[index], { parent: at, name: index });
  }
}

function checkValue(shape: MessageShape, { kind }: FieldShape, key: string, value: unknown, place: Place): void {
  switch (kind) {
    case "message":
      // The generated code takes null for a message that is not set.
      if (value !== null) checkFields(shape.nested(key), value, place);
      return;
    case "string":
    case "boolean":
      if (typeof value !== kind) throw refuse(place, `must be a ${kind}`);
      return;
    case "bytes":
      if (!(value instanceof Uint8Array)) throw refuse(place, "must be bytes: a Uint8Array, such as Buffer.from(text)");
      return;
    case "int64":
    case "uint64":
      if (!isLong(value, kind))
        throw refuse(place, `must be a whole number (${kind}): a number, a Long, or digits`, value);
      return;
    case "int32":
    case "uint32":
      if (!isNumber(value, kind)) throw refuse(place, `must be a whole number (${kind})`, value);
      return;
    case "enum":
      if (!isNumber(value, "int32")) throw refuse(place, "must be a number of the enum (int32)", value);
      return;
    case "double":
      if (typeof value !== "number") throw refuse(place, "must be a number", value);
      return;
    case "map":
      checkTexts(value, place);
  }
}

function isNumber(value: unknown, type: IntegerType): boolean {
  return typeof value === "number" && isWithin(type, value);
}

/** The generated code cuts off the higher bits of what is out of range. */
function isLong(value: unknown, type: IntegerType): boolean {
  if (typeof value === "string") return /^-?\d+$/.test(value) && isWithin(type, BigInt(value));
  // A Long that was copied is an object with both halves, which the generated code takes as well.
  const isHalves = typeof value === "object" && value !== null && "low" in value && "high" in value;
  return isHalves || (Number.isSafeInteger(value) && isNumber(value, type));
}

function checkTexts(map: unknown, place: Place): void {
  if (typeof map !== "object" || map === null) throw refuse(place, "must be an object of strings");
  for (const key of Object.keys(map)) {
    // The generated code assigns it, which sets nothing: a filter without its only label selects everything.
    if (key === "__proto__") throw refuse(entry(place, key), "this key cannot be sent");
    if (typeof (map as Fields)[key] !== "string") throw refuse(entry(place, key), "must be a string");
  }
}

function entry({ parent, name }: Place, key: string): Place {
  return { ...(parent && { parent }), name: `${name}[${JSON.stringify(key)}]` };
}

function refuse(place: Place, message: string, ...value: unknown[]): InvalidInputError {
  return new InvalidInputError({ field: textOf(place), message, ...(value.length > 0 && { value: value[0] }) });
}

function textOf({ parent, name }: Place): string {
  if (!parent) return String(name);
  return typeof name === "number" ? `${textOf(parent)}[${name}]` : `${textOf(parent)}.${name}`;
}
