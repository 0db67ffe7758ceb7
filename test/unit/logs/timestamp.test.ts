import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareInstants, instantOfDate, nineDigits, parseInstant, timestampEnd } from "../../../src/logs/timestamp.js";
import { nanoseconds } from "./reference.js";

const end = (text: string) => timestampEnd(Buffer.from(text), 0, Buffer.byteLength(text));

const timestamps = fc
  .tuple(
    fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true }),
    fc.stringMatching(/^(\.\d{1,12})?$/),
    fc.constantFrom("Z", "+00:00", "+02:00", "-09:30", "+14:00"),
  )
  .map(([date, fraction, zone]) => date.toISOString().slice(0, 19) + fraction + zone);

describe("timestamps", () => {
  test("are recognised whatever follows them", () => {
    fc.assert(
      fc.property(timestamps, fc.constantFrom("", " ", "x", "\n"), (text, rest) => {
        expect(end(text + rest)).toBe(text.length);
      }),
    );
  });

  test.each([
    "",
    "2026-11-23",
    "2026-11-23T05:55:00",
    "2026-11-23T05:55:00.",
    "2026-11-23T05:55:00.Z",
    "2026-11-23T05:55:00.123",
    "2026-11-23T05:55:00+2:00",
    "2026-11-23T05:55:00+02:0",
    "2026-11-23T05:55:00+0200x",
    "2026-11-23T05:55:00+24:00",
    "2026-11-23 05:55:00Z",
    "2026-13-23T05:55:00Z",
    "2026-00-23T05:55:00Z",
    "2026-02-29T05:55:00Z",
    "2100-02-29T05:55:00Z",
    "2026-04-31T05:55:00Z",
    "2026-11-23T24:00:00Z",
    "2026-11-23T05:60:00Z",
    "2026-11-23T05:55:60Z",
    "2o26-11-23T05:55:00Z",
    "2026-11-23t05:55:00Z",
  ])("%j is not a timestamp", (text) => expect(end(text)).toBe(-1));

  test("may be on 29 February 2000 and 2024", () => {
    expect(end("2000-02-29T00:00:00Z")).toBe(20);
    expect(end("2024-02-29T00:00:00Z")).toBe(20);
  });

  test("are parsed without reading bytes after the end", () => {
    expect(timestampEnd(Buffer.from("2026-11-23T05:55:00Z"), 0, 19)).toBe(-1);
    expect(timestampEnd(Buffer.from("2026-11-23T05:55:00+02:00"), 0, 24)).toBe(-1);
    expect(timestampEnd(Buffer.from("2026-11-23T05:55:00.123Z"), 0, 23)).toBe(-1);
  });

  test.each([
    ["2026-11-23T05:55:00Z", "2026-11-23T05:55:00.000000000Z"],
    ["2026-11-23T05:55:00.1+02:00", "2026-11-23T05:55:00.100000000+02:00"],
    ["2026-11-23T05:55:00.123456789Z", "2026-11-23T05:55:00.123456789Z"],
    ["2026-11-23T05:55:00.1234567899Z", "2026-11-23T05:55:00.123456789Z"],
  ])("%s is formatted with nine digits as %s", (text, expected) => {
    expect(nineDigits(Buffer.from(text), 0, text.length)).toBe(expected);
  });

  test("compare to the nanosecond, in any time zone", () => {
    fc.assert(
      fc.property(timestamps, timestamps, (left, right) => {
        const expected = nanoseconds(left) - nanoseconds(right);
        const sign = Math.sign(compareInstants(parseInstant(left)!, parseInstant(right)!));
        expect(sign).toBe(expected === 0n ? 0 : expected > 0n ? 1 : -1);
      }),
    );
    const [early, late] = ["2026-11-23T07:55:00.123456788+02:00", "2026-11-23T05:55:00.123456789Z"].map(parseInstant);
    expect(compareInstants(early!, late!)).toBe(-1);
  });

  test("of a Date are the same as of its string", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          expect(instantOfDate(date)).toEqual(parseInstant(date.toISOString()));
        },
      ),
    );
  });
});
