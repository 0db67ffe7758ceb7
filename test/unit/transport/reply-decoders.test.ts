/**
 * Compares the client's decoders with those that ts-proto generates: both return the same message, or both refuse the bytes,
 * whether they are well-formed or malformed.
 */
import { createFileRegistry, type DescMessage } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileSchema, criPackage } from "../../../scripts/lib/schema.js";
import { replyDecoders } from "../../../src/decoders.js";
import * as proto from "../../../src/proto.js";
import { ChunkedMessage } from "../../../src/transport/chunked-message.js";
import { Reply } from "../../../src/transport/reply.js";
import { replyLimits } from "../../../src/transport/reply-limits.js";
import { bytesOf } from "../../support/message-bytes.js";

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
  const expected = outcome(() => type.decode(inside));
  expect(outcome(() => new Reply(type, inside, limits).decodeAll())).toStrictEqual(expected);
  const chunked = outcome(() => new Reply(type, inChunks(inside, 7), limits).decodeAll());
  // In chunks, a value that claims to be longer than the field that contains it may be refused.
  if (chunked !== "refused") expect(chunked).toStrictEqual(expected);
}

function inChunks(bytes: Buffer, size: number): ChunkedMessage {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return new ChunkedMessage(chunks);
}

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

  test.each([1, 1_000, 16_384, 100_000])("is decoded from chunks of %i bytes", (size) => {
    const type = proto.ListContainersResponse;
    const large = Buffer.concat([...Array.from({ length: 20 }, () => bytes), Buffer.of(0x10, 0x01), bytes]);
    const reply = new Reply(type, inChunks(large, size), limits);
    expect(reply.decodeAll()).toStrictEqual(type.decode(large));
    const whole = new Reply(type, large, limits);
    whole.decodeAll();
    expect(reply.fields).toBe(whole.fields);
  });

  test("is decoded from chunks with a container larger than those before", () => {
    const type = proto.ListContainersResponse;
    const annotations = { large: "x".repeat(100_000) };
    const large = type.encode(
      type.fromPartial({ containers: [...containers, { id: "a", annotations }, ...containers] }),
    );
    const encoded = Buffer.from(large.finish());
    expect(new Reply(type, inChunks(encoded, 16_384), limits).decodeAll()).toStrictEqual(type.decode(encoded));
  });
});

test("bytes that were decoded from chunks stay, while other replies are decoded", () => {
  const type = proto.ExecSyncResponse;
  const replyOf = (content: string) => {
    const message = {
      stdout: Buffer.from(content.repeat(20_000)),
      stderr: Buffer.from(content.repeat(30_000)),
      exitCode: 1,
    };
    return inChunks(Buffer.from(type.encode(message).finish()), 16_384);
  };
  const first = new Reply(type, replyOf("a"), limits).decodeAll();
  new Reply(type, replyOf("b"), limits).decodeAll();
  expect(Buffer.from(first.stdout).equals(Buffer.alloc(20_000, "a"))).toBe(true);
  expect(Buffer.from(first.stderr).equals(Buffer.alloc(30_000, "a"))).toBe(true);
});
