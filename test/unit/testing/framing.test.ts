import { describe, expect, test } from "vitest";
import {
  encodeStatusMessage,
  type FramingError,
  frame,
  parseTimeout,
  toMetadata,
  unframe,
} from "../../../src/testing/wire/framing.js";

describe("messages", () => {
  test("are unchanged after framing and unframing", () => {
    const message = Buffer.from("hello");
    expect(Buffer.from(unframe(frame(message), 100))).toEqual(message);
    expect(unframe(Buffer.alloc(0), 100)).toHaveLength(0);
  });

  test.each([
    ["too-large", frame(Buffer.alloc(11)), 10],
    ["truncated", frame(Buffer.alloc(8)).subarray(0, 9), 10],
    ["truncated", Buffer.from([0, 0]), 10],
    ["compressed", Buffer.from([1, 0, 0, 0, 0]), 10],
  ])("are rejected when %s", (kind, body, limit) => {
    expect(() => unframe(body, limit)).toThrow(expect.objectContaining({ kind }) as FramingError);
  });
});

test.each([
  ["2H", 7_200_000],
  ["3M", 180_000],
  ["4S", 4_000],
  ["1999m", 1_999],
  ["500u", 0.5],
  ["1000000n", 1],
  ["123456789m", undefined],
  ["5", undefined],
  ["-1S", undefined],
])("grpc-timeout %s is %s ms", (header, expected) => {
  expect(parseTimeout(header)).toBe(expected);
});

test("a status message is percent-encoded UTF-8", () => {
  expect(encodeStatusMessage('100% "größer"\n')).toBe('100%25 "gr%C3%B6%C3%9Fer"%0A');
});

test("metadata keeps repeated keys as lists and decodes bytes", () => {
  const raw = [
    ":path",
    "/x",
    "te",
    "trailers",
    "grpc-timeout",
    "1S",
    "a",
    "1",
    "a",
    "2",
    "B",
    "3",
    "k-bin",
    "AQI,Aw==",
  ];
  expect(toMetadata(raw)).toEqual({ a: ["1", "2"], b: "3", "k-bin": [Buffer.from([1, 2]), Buffer.from([3])] });
});
