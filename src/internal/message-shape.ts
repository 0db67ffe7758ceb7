/*
 * The fields of a message type and their kinds, derived from its generated JSON functions.
 *
 * The generated types have no descriptors at run time, because these would be as large as the package itself. But `fromJSON`
 * fills missing fields with defaults and marks unknown values. Calls with small probes therefore reveal everything that strict
 * reading of JSON needs. Each type is probed once.
 */
import * as proto from "../proto.js";

/** The functions of a generated message object (`PodSandboxConfig`, `ContainerStatus`, …) for the conversion from and to JSON. */
export interface MessageType<T> {
  // biome-ignore lint/suspicious/noExplicitAny: the generated functions are declared so
  fromJSON(object: any): T;
  toJSON(message: T): unknown;
  encode(message: T): { finish(): Uint8Array };
}

/** The type of a field, or of each element of a repeated field. */
export type FieldKind =
  | "string"
  | "boolean"
  | "bytes"
  | "int64"
  | "uint64"
  | "int32"
  | "uint32"
  | "double"
  | "enum"
  | "message"
  | "map";

/** One field of a message. */
export interface FieldShape {
  readonly kind: FieldKind;
  readonly repeated: boolean;
}

/** A message: its fields by camelCase name. */
export type Fields = Record<string, unknown>;

const shapes = new WeakMap<object, MessageShape>();

/** Returns the shape of a generated message type. */
export function shapeOf<T>(type: MessageType<T>): MessageShape {
  const known = shapes.get(type);
  if (known) return known;
  const shape = new MessageShape(type as MessageType<unknown>, []);
  shapes.set(type, shape);
  return shape;
}

/** One step from the outermost message to a nested one: a field, or the elements of a repeated field. */
interface Step {
  readonly key: string;
  readonly repeated: boolean;
}

/** The fields of one message type, at one position within an outermost type. */
export class MessageShape {
  readonly fields: ReadonlyMap<string, FieldShape>;
  readonly #type: MessageType<unknown>;
  readonly #path: readonly Step[];
  readonly #nested = new Map<string, MessageShape>();
  readonly #enumNames = new Map<string, ReadonlyMap<number, string>>();

  constructor(type: MessageType<unknown>, path: readonly Step[]) {
    this.#type = type;
    this.#path = path;
    this.fields = new Map(Object.entries(this.create()).map(([key, value]) => [key, this.#shapeOfField(key, value)]));
  }

  /** Creates a message with the defaults of all fields. */
  create(): Fields {
    return this.#read({});
  }

  /** Returns the shape of the message in a field of kind "message". */
  nested(key: string): MessageShape {
    const known = this.#nested.get(key);
    if (known) return known;
    const repeated = this.fields.get(key)?.repeated ?? false;
    const shape = new MessageShape(this.#type, [...this.#path, { key, repeated }]);
    this.#nested.set(key, shape);
    return shape;
  }

  /** Returns the number of a name in an enum field, or `undefined` if the enum does not have the name. */
  enumNumber(key: string, name: string): number | undefined {
    const number = this.#readField(key, name);
    return typeof number === "number" && number !== proto.ContainerState.UNRECOGNIZED ? number : undefined;
  }

  /** Returns all names of an enum field. */
  enumNames(key: string): string[] {
    for (const names of enums()) {
      if (names.every(([name, number]) => this.enumNumber(key, name) === number)) return names.map(([name]) => name);
    }
    return [];
  }

  /** Returns the name of a number in an enum field, or `undefined` if the enum does not have the number. */
  enumName(key: string, number: number): string | undefined {
    let names = this.#enumNames.get(key);
    if (!names) {
      // If several names have one number, the schema's first name applies.
      names = new Map(
        this.enumNames(key)
          .map((name) => [this.enumNumber(key, name)!, name] as const)
          .reverse(),
      );
      this.#enumNames.set(key, names);
    }
    return names.get(number);
  }

  #shapeOfField(key: string, value: unknown): FieldShape {
    if (!Array.isArray(value)) return { kind: this.#kindOf(key, value, false), repeated: false };
    let element: unknown;
    try {
      element = (this.#read({ [key]: [{}] })[key] as unknown[])[0];
    } catch {
      return { kind: "bytes", repeated: true };
    }
    const holdsMessages = typeof element === "object" && !proto.Long.isLong(element);
    return { kind: holdsMessages ? "message" : this.#kindOf(key, element, true), repeated: true };
  }

  #kindOf(key: string, value: unknown, repeated: boolean): FieldKind {
    if (typeof value === "string" || typeof value === "boolean") return typeof value as "string" | "boolean";
    if (proto.Long.isLong(value)) return value.unsigned ? "uint64" : "int64";
    if (value instanceof Uint8Array) return "bytes";
    if (typeof value === "object" && value !== null) return "map";
    if (typeof value !== "number") return "message";
    // No enum has this name, and it is not a number: fromJSON returns UNRECOGNIZED for an enum, and NaN for a number.
    if (this.#readField(key, "?", repeated) === proto.ContainerState.UNRECOGNIZED) return "enum";
    if (this.#encodes(key, 0.5, repeated)) return "double";
    return this.#encodes(key, -1, repeated) ? "int32" : "uint32";
  }

  #encodes(key: string, value: number, repeated: boolean): boolean {
    try {
      this.#type.encode(this.#type.fromJSON(this.#within({ [key]: repeated ? [value] : value })));
      return true;
    } catch {
      return false;
    }
  }

  #readField(key: string, value: unknown, repeated = this.fields.get(key)?.repeated ?? false): unknown {
    const read = this.#read({ [key]: repeated ? [value] : value })[key];
    return repeated ? (read as unknown[])[0] : read;
  }

  /** Reads this message from JSON with the generated code. */
  #read(json: Fields): Fields {
    let found: unknown = this.#type.fromJSON(this.#within(json));
    for (const { key, repeated } of this.#path) {
      const value = (found as Fields)[key];
      found = repeated ? (value as unknown[])[0] : value;
    }
    return found as Fields;
  }

  /** Wraps the JSON of this message in that of the outermost type. */
  #within(json: Fields): Fields {
    return this.#path.reduceRight<Fields>((inner, { key, repeated }) => ({ [key]: repeated ? [inner] : inner }), json);
  }
}

/** Returns the names and numbers of every enum of the schema. */
function enums(): [name: string, number: number][][] {
  return Object.values(proto)
    .filter((exported) => typeof exported === "object" && "UNRECOGNIZED" in exported)
    .map((exported) =>
      Object.entries(exported as Fields).filter(
        (entry): entry is [string, number] => typeof entry[1] === "number" && entry[0] !== "UNRECOGNIZED",
      ),
    );
}
