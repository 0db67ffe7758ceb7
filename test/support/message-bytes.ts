/** Generates the bytes of messages, with any values in their fields. @module */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";

/** Generates strings: all kinds of UTF-8, repetitions, and lengths on both sides of every limit. */
export const string = fc.oneof(
  fc.constantFrom(
    "",
    "io.kubernetes.pod.name",
    "default",
    "__proto__",
    "constructor",
    "\u{feff}a\0b",
    "é",
    "日本語 🙂",
  ),
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc.string({ unit: "binary-ascii", maxLength: 200 }),
);
const stringBytes = fc.oneof(
  string.map((value) => Buffer.from(value)),
  fc.uint8Array({ maxLength: 20 }),
);
const varint = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.nat({ max: 300 }).map(BigInt),
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
);

/** Generates the bytes of a message with any number of its fields, in any order. */
export function bytesOf(message: DescMessage, maxLength = 12): fc.Arbitrary<Uint8Array> {
  const known = message.fields.map(fieldBytes);
  const unknown = fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 7 }), fc.uint8Array({ maxLength: 8 }));
  const stray = unknown.map(([field, wireType, rest]) => Buffer.from([((field << 3) | wireType) & 0x7f, ...rest]));
  return fc
    .array(fc.oneof({ arbitrary: stray, weight: 1 }, ...known.map((arbitrary) => ({ arbitrary, weight: 20 }))), {
      maxLength,
    })
    .map((parts) => Buffer.concat(parts));
}

function fieldBytes(field: DescField): fc.Arbitrary<Uint8Array> {
  const delimited = (content: fc.Arbitrary<Uint8Array>) =>
    content.map((bytes) => new BinaryWriter().tag(field.number, WireType.LengthDelimited).bytes(bytes).finish());
  const number = varint.map((value) => new BinaryWriter().tag(field.number, WireType.Varint).uint64(value).finish());
  // The statistics of a pod contain those of its containers, so a few of each kind are enough.
  if (field.message) return delimited(bytesOf(field.message, 3));
  if (field.fieldKind === "map")
    return delimited(fc.array(entryField, { maxLength: 3 }).map((all) => Buffer.concat(all)));
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return delimited(stringBytes);
    case ScalarType.DOUBLE:
      return fc.double().map((value) => new BinaryWriter().tag(field.number, WireType.Bit64).double(value).finish());
  }
  if (field.fieldKind !== "list") return number;
  const packed = fc.array(varint).map((all) => {
    const writer = new BinaryWriter();
    for (const value of all) writer.uint64(value);
    return writer.finish();
  });
  return fc.oneof(number, delimited(packed));
}

const entryField = fc
  .tuple(fc.constantFrom(1, 2, 2, 1, 3), stringBytes)
  .map(([number, bytes]) => new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish());
