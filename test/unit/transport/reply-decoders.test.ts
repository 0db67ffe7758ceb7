/**
 * Compares the client's decoders with those that ts-proto generates: both return the same message, or both refuse the bytes,
 * whether they are well-formed or malformed.
 */
import { createFileRegistry, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileSchema, criPackage } from "../../../scripts/lib/schema.js";
import { replyDecoders } from "../../../src/decoders.js";
import * as proto from "../../../src/proto.js";
import { Reply } from "../../../src/transport/reply.js";
import { replyLimits } from "../../../src/transport/reply-limits.js";

interface ReplyMessage {
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  fromPartial(partial: object): unknown;
}

const registry = createFileRegistry(compileSchema("proto"));
const services = [...registry].filter((element) => element.kind === "service");
const replies = [...new Set(services.flatMap(({ methods }) => methods.map(({ output }) => output)))].map(
  (message): [string, DescMessage, ReplyMessage] => [
    message.name,
    message,
    (proto as unknown as Record<string, ReplyMessage>)[message.name] as ReplyMessage,
  ],
);

const limits = replyLimits(undefined);

/** Returns the decoded message with the order of its keys, or that decoding refused the bytes. */
function outcome(decode: () => unknown): unknown {
  try {
    const message = decode();
    return { message, keys: JSON.stringify(message) };
  } catch {
    return "refused";
  }
}

function expectSame(type: ReplyMessage, bytes: Uint8Array): void {
  // grpc-js passes replies as parts of a larger Buffer.
  const inside = Buffer.concat([Buffer.from("before"), bytes, Buffer.from("behind")]).subarray(6, 6 + bytes.length);
  expect(outcome(() => new Reply(type, inside, limits).decodeAll())).toStrictEqual(outcome(() => type.decode(inside)));
}

/** Generates strings: all kinds of UTF-8, repetitions, and lengths on both sides of every limit. */
const string = fc.oneof(
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
function bytesOf(message: DescMessage, maxLength = 12): fc.Arbitrary<Uint8Array> {
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

test("every reply has a decoder, and no other message has one", () => {
  expect(replies.every(([, message]) => message.typeName.startsWith(criPackage))).toBe(true);
  expect(new Set(replyDecoders.keys())).toEqual(new Set(replies.map(([, , type]) => type)));
});

describe.each(replies)("%s", (_, message, type) => {
  test("is decoded like ts-proto decodes it, with any fields", () => {
    fc.assert(
      fc.property(bytesOf(message), (bytes) => expectSame(type, bytes)),
      { numRuns: 60 },
    );
  });

  test("is refused like ts-proto refuses it: truncated, with changed bytes, or from random bytes", () => {
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    const changes = fc.array(change, { maxLength: 4 });
    fc.assert(
      fc.property(bytesOf(message), changes, fc.double({ min: 0.5, max: 1.5, noNaN: true }), (bytes, all, part) => {
        const input = Buffer.from(bytes.subarray(0, Math.ceil(bytes.length * part)));
        for (const [at, value] of all) if (input.length > 0) input[at % input.length] = value;
        expectSame(type, input);
      }),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => expectSame(type, bytes)),
      { numRuns: 50 },
    );
  });
});

describe("a reply as a Kubernetes node sends it", () => {
  const containers = Array.from({ length: 50 }, (_, index) => ({
    id: `${index}`.padStart(64, "0"),
    metadata: { name: `c${index % 5}`, attempt: index },
    image: { image: "registry.example/app:1" },
    createdAt: `${1_700_000_000_123_456_789n + BigInt(index)}`,
    labels: { "io.kubernetes.pod.namespace": "default", "io.kubernetes.pod.name": `web-${index}`, é: "日本語" },
  }));
  const bytes = proto.ListContainersResponse.encode(proto.ListContainersResponse.fromPartial({ containers })).finish();

  test("is decoded like ts-proto decodes it, truncated at any position", () => {
    const type = proto.ListContainersResponse as unknown as ReplyMessage;
    for (let length = 0; length <= bytes.length; length += 7) expectSame(type, bytes.subarray(0, length));
    expectSame(type, bytes);
  });
});
