/** Compares the client's encoding of requests with ts-proto's own. */
import { createFileRegistry } from "@bufbuild/protobuf";
import fc from "fast-check";
import Long from "long";
import { describe, expect, test } from "vitest";
import { compileSchema } from "../../../scripts/lib/schema.js";
import * as proto from "../../../src/proto.js";
import { encodeRequest, type RequestType } from "../../../src/transport/request-writer.js";
import { bytesOf, string } from "../../support/message-bytes.js";

interface RequestMessage extends RequestType {
  encode(message: unknown, writer?: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}

const services = [...createFileRegistry(compileSchema("proto"))].filter((element) => element.kind === "service");
const requests = [...new Set(services.flatMap(({ methods }) => methods.map(({ input }) => input)))];

function expectSame(type: RequestMessage, message: unknown): void {
  expect(encodeRequest(type, message).toString("hex")).toBe(Buffer.from(type.encode(message).finish()).toString("hex"));
}

test.each(requests.map((message) => [message.name, message] as const))(
  "%s is encoded like ts-proto encodes it",
  (name, desc) => {
    const type = (proto as unknown as Record<string, RequestMessage>)[name] as RequestMessage;
    const decoded = bytesOf(desc).map((bytes) => {
      try {
        return type.decode(bytes);
      } catch {
        return undefined;
      }
    });
    fc.assert(
      fc.property(decoded, (message) => message === undefined || expectSame(type, message)),
      { numRuns: 60 },
    );
  },
);

describe("values at the limits", () => {
  test.each([0, 23, 24, 25, 127, 128, 200, 5_461, 5_462, 16_383, 16_384, 70_000])(
    "a string of %i characters",
    (length) => {
      for (const character of ["a", "é", "日", "\ud800"]) {
        expectSame(proto.VersionRequest, { version: character.repeat(length) });
        expectSame(proto.VersionRequest, { version: `${"a".repeat(length)}${character}` });
      }
    },
  );

  test("a message inside a message, of any length", () => {
    for (let length = 0; length < 300; length++) {
      expectSame(
        proto.ImageStatusRequest,
        proto.ImageStatusRequest.fromPartial({ image: { image: "a".repeat(length) } }),
      );
    }
    fc.assert(
      fc.property(string, (image) =>
        expectSame(proto.ImageStatusRequest, proto.ImageStatusRequest.fromPartial({ image: { image } })),
      ),
    );
  });

  test.each([0, 1, 127, 128, 2 ** 31 - 1, -1, -(2 ** 31)])("the 32-bit integer %i", (stopSignal) => {
    expectSame(proto.ContainerConfig, proto.ContainerConfig.fromPartial({ stopSignal }));
  });

  test.each(["0", "-1", "127", "128", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808"])(
    "the 64-bit integer %s",
    (value) => expectSame(proto.Int64Value, { value: Long.fromString(value) }),
  );

  test("the unsigned 64-bit integer 2^64 - 1", () => expectSame(proto.UInt64Value, { value: Long.MAX_UNSIGNED_VALUE }));
});

test.each([
  ["1.5", 1.5],
  ["NaN", Number.NaN],
  ["2147483648", 2 ** 31],
])("the 32-bit integer %s is refused", (text, stopSignal) => {
  const encode = () => encodeRequest(proto.ContainerConfig, proto.ContainerConfig.fromPartial({ stopSignal }));
  expect(encode).toThrow(`${text} is not a 32-bit integer`);
});

test("a negative unsigned integer is refused", () => {
  expect(() => encodeRequest(proto.UInt64Value, { value: Long.NEG_ONE })).toThrow(
    "-1 is not an unsigned 64-bit integer",
  );
});
