import fc from "fast-check";
import type { Fields, MessageShape, MessageType } from "../../../src/internal/message-shape.js";
import * as proto from "../../../src/proto.js";

const { Long } = proto;

/** Every message type of the schema, by name. */
export const messageTypes = Object.entries<unknown>({ ...proto }).filter(
  (entry): entry is [string, MessageType<Fields>] =>
    typeof entry[1] === "object" && entry[1] !== null && "fromJSON" in entry[1],
);

/** Generates messages of a shape, with boundary values in every kind of field. */
export function anyMessage(
  shape: MessageShape,
  bytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 20 }),
): fc.Arbitrary<Fields> {
  const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("UNRECOGNIZED", "", "0", "null"));
  const keys = fc.oneof(text, fc.constantFrom("constructor", "toString", "a_b"));
  const long = (unsigned: boolean) =>
    (unsigned
      ? fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
      : fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    ).map((value) => Long.fromString(value.toString(), unsigned));
  const one = (key: string): fc.Arbitrary<unknown> => {
    switch (shape.fields.get(key)?.kind) {
      case "message":
        return anyMessage(shape.nested(key), bytes);
      case "map":
        return fc.dictionary(keys, text, { maxKeys: 3, noNullPrototype: true });
      case "boolean":
        return fc.boolean();
      case "bytes":
        return bytes;
      case "int64":
        return long(false);
      case "uint64":
        return long(true);
      case "enum":
        return fc.oneof(fc.nat({ max: 70 }), fc.integer());
      case "double":
        return fc.double();
      case "int32":
        return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
      case "uint32":
        return fc.nat({ max: 2 ** 32 - 1 });
      default:
        return text;
    }
  };
  return fc.record(
    Object.fromEntries(
      [...shape.fields].map(([key, { kind, repeated }]) => [
        key,
        repeated
          ? fc.array(one(key), { maxLength: 2 })
          : kind === "message"
            ? fc.option(one(key), { nil: undefined })
            : one(key),
      ]),
    ),
  );
}

/** Replaces -0 with 0, as JSON does. */
export function normalized(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(normalized);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || Long.isLong(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normalized(inner)]));
}
