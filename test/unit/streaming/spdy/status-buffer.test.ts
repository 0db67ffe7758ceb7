import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StatusBuffer } from "../../../../src/streaming/spdy/status-buffer.js";
import { maxStatusBytes } from "../../../../src/streaming/status.js";

/** Adds parts until the status is whole. Returns how many were added, or undefined if it never was whole. */
function partsUntilWhole(status: StatusBuffer, parts: readonly (string | Buffer)[]): number | undefined {
  for (const [index, part] of parts.entries()) {
    status.add(Buffer.from(part));
    if (status.isWhole) return index + 1;
  }
  return undefined;
}

const bytesOf = (text: string) => Array.from(Buffer.from(text), (byte) => Buffer.of(byte));

describe("StatusBuffer", () => {
  test.each([
    ["a status", '{"status":"Success"}'],
    ["nested objects", '{"details":{"causes":[{"reason":"ExitCode"}]}}'],
    ["braces and quotes in a string", '{"message":"} \\" { \\\\"}'],
    ["characters of several bytes", '{"message":"ü€😀"}'],
    ["white space before it", '\n {"status":"Success"}'],
  ])("is whole with its last brace: %s", (_name, text) => {
    const status = new StatusBuffer();
    const parts = bytesOf(text);
    expect(partsUntilWhole(status, parts)).toBe(parts.length);
    expect(status.text).toBe(text);
  });

  test.each([
    ["half an object", '{"status":"Succ'],
    ["a list", '[{"status":"Success"}]'],
    ["plain text", "runc: template {{.ID}} is broken"],
    ["an extra brace", "} {}"],
  ])("is never whole: %s", (_name, text) => {
    const status = new StatusBuffer();
    expect(partsUntilWhole(status, bytesOf(text))).toBeUndefined();
    expect(status.text).toBe(text);
  });

  test("is whole at the last brace of any object, in any parts", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (object, cut) => {
        const bytes = Buffer.from(JSON.stringify(object));
        const at = cut % bytes.length;
        const status = new StatusBuffer();
        expect(partsUntilWhole(status, [bytes.subarray(0, at), bytes.subarray(at)])).toBe(2);
        expect(JSON.parse(status.text)).toEqual(JSON.parse(bytes.toString()));
      }),
    );
  });

  test("rejects a status that is too long", () => {
    const status = new StatusBuffer();
    status.add(Buffer.alloc(maxStatusBytes, "x"));
    expect(() => status.add(Buffer.of(0))).toThrow(/a status of more than 65536 bytes/);
  });
});
