import { expect, test } from "vitest";
import { cachedString } from "../../../src/transport/string-cache.js";

function textOf(bytes: Buffer): string {
  const around = Buffer.concat([Buffer.from("before"), bytes, Buffer.from("behind")]);
  const view = new DataView(around.buffer, around.byteOffset, around.length);
  return cachedString(around, view, 6, 6 + bytes.length);
}

test("texts that differ in one byte are never taken for each other, however often they come", () => {
  for (let length = 1; length <= 90; length++) {
    const texts = Array.from({ length }, (_, at) => `${"a".repeat(at)}b${"a".repeat(length - at - 1)}`);
    const expected = ["a".repeat(length), ...texts, `\0${"a".repeat(length - 1)}`];
    for (let round = 0; round < 3; round++) {
      expect(expected.map((text) => textOf(Buffer.from(text)))).toEqual(expected);
    }
  }
});

test("a text and bytes that are none in UTF-8 are never taken for each other", () => {
  const good = Buffer.from("größer als ASCII");
  const bad = Buffer.from(good).fill(0xff, 2, 3);
  for (let round = 0; round < 3; round++) {
    expect(textOf(good)).toBe("größer als ASCII");
    expect(textOf(bad)).toBe(bad.toString());
    expect(textOf(Buffer.from(bad.toString()))).toBe(bad.toString());
  }
});
