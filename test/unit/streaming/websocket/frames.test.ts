import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFrame, encodeEnd, encodeFrame, encodeResize } from "../../../../src/streaming/websocket/frames.js";

describe("frames", () => {
  test.each([
    ["stdin", encodeFrame(0, Buffer.from("ls\n")), "006c730a"],
    ["an empty message on stdin, which does not end it", encodeFrame(0, Buffer.alloc(0)), "00"],
    ["the end of stdin on v5", encodeEnd(0), "ff00"],
    [
      "a terminal's size",
      encodeResize({ columns: 80, rows: 24 }),
      "047b225769647468223a38302c22486569676874223a32347d",
    ],
  ])("%s", (_, frame, hex) => {
    expect(frame?.toString("hex")).toBe(hex);
  });

  test.each([
    ["stdout", "016869", { channel: 1, payload: Buffer.from("hi") }],
    ["a zero byte", "0200", { channel: 2, payload: Buffer.of(0) }],
    ["ready", "01", undefined],
    ["ready on the status channel", "03", undefined],
    ["an empty message", "", undefined],
  ])("decodes %s", (_, hex, frame) => {
    expect(decodeFrame(Buffer.from(hex, "hex"))).toEqual(frame);
  });

  test("decodes what it encoded", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ minLength: 1 }), (channel, bytes) => {
        expect(decodeFrame(encodeFrame(channel, bytes))).toEqual({ channel, payload: Buffer.from(bytes) });
      }),
    );
  });

  test("does not encode sizes that would break a session with conmon-rs", () => {
    const odd = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 65_536];
    for (const cells of odd) {
      expect(encodeResize({ columns: cells, rows: 24 })).toBeUndefined();
      expect(encodeResize({ columns: 80, rows: cells })).toBeUndefined();
    }
    expect(encodeResize({ columns: 80.9, rows: 65_535 })?.toString()).toBe('\u0004{"Width":80,"Height":65535}');
  });
});
