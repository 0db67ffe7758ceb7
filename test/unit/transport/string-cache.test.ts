import { expect, test } from "vitest";
import { cachedString } from "../../../src/transport/string-cache.js";

function decode(bytes: Buffer): string {
  const surrounded = Buffer.concat([Buffer.from("before"), bytes, Buffer.from("behind")]);
  const view = new DataView(surrounded.buffer, surrounded.byteOffset, surrounded.length);
  return cachedString(surrounded, view, 6, 6 + bytes.length);
}

test("distinguishes strings that differ in one byte, however often they occur", () => {
  for (let length = 1; length <= 90; length++) {
    const strings = Array.from({ length }, (_, at) => `${"a".repeat(at)}b${"a".repeat(length - at - 1)}`);
    const expected = ["a".repeat(length), ...strings, `\0${"a".repeat(length - 1)}`];
    for (let round = 0; round < 3; round++) {
      expect(expected.map((string) => decode(Buffer.from(string)))).toEqual(expected);
    }
  }
});

test("distinguishes a string from invalid UTF-8", () => {
  const valid = Buffer.from("größer als ASCII");
  const invalid = Buffer.from(valid).fill(0xff, 2, 3);
  for (let round = 0; round < 3; round++) {
    expect(decode(valid)).toBe("größer als ASCII");
    expect(decode(invalid)).toBe(invalid.toString());
    expect(decode(Buffer.from(invalid.toString()))).toBe(invalid.toString());
  }
});
