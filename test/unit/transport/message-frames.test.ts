import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkedMessage } from "../../../src/transport/chunked-message.js";
import { MessageFrames } from "../../../src/transport/message-frames.js";

const chunkedBytes = 50;

function framed(message: Uint8Array, flag = 0): Buffer {
  const frame = Buffer.from([flag, 0, 0, 0, 0]);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** Splits bytes at positions. */
function split(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const cuts = [0, ...positions.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

test("returns the messages, however the bytes are split", () => {
  const message = fc.tuple(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0, 1));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 12 }), (messages, positions) => {
      const frames = new MessageFrames(-1, chunkedBytes);
      const bytes = Buffer.concat(messages.map(([content, flag]) => framed(content, flag)));
      const received = split(bytes, positions).flatMap((data) => frames.write(data));
      expect(received.map((one) => one instanceof ChunkedMessage)).toEqual(
        messages.map(([content, flag]) => content.length >= chunkedBytes && flag === 0),
      );
      const contents = received.map((one) => (one instanceof ChunkedMessage ? framed(one.rest()) : one));
      expect(Buffer.concat(contents).equals(bytes)).toBe(true);
    }),
  );
});

test("refuses a message that is too long as soon as its length has arrived", () => {
  const frames = new MessageFrames(100, chunkedBytes);
  expect(frames.write(framed(Buffer.alloc(100)))).toHaveLength(1);
  const tooLong = framed(Buffer.alloc(101));
  expect(frames.write(tooLong.subarray(0, 4))).toEqual([]);
  expect(() => frames.write(tooLong.subarray(4, 5))).toThrow("Received message larger than max (101 vs 100)");
});

describe("a message in chunks", () => {
  test("is read from its beginning to its end, and releases what was read", () => {
    const bytes = Buffer.from(Array.from({ length: 100 }, (_, index) => index));
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 40 })));
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), steps, (positions, reads) => {
        const message = new ChunkedMessage(split(bytes, positions));
        expect(message.length).toBe(100);
        let at = 0;
        for (const [size, skipped] of reads) {
          const target = Buffer.alloc(size);
          const copied = message.peek(target);
          expect(copied).toBe(Math.min(size, 100 - at));
          expect(target.subarray(0, copied).equals(bytes.subarray(at, at + copied))).toBe(true);
          const step = Math.min(skipped, copied);
          message.advance(step);
          at += step;
          expect(message.left).toBe(100 - at);
        }
        expect(message.rest().equals(bytes.subarray(at))).toBe(true);
        expect(message.left).toBe(0);
      }),
    );
  });
});
