import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameDecoder } from "../../../../src/streaming/spdy/frame-decoder.js";
import { type ControlFrame, encodeDataHead, encodeFrame } from "../../../../src/streaming/spdy/frames.js";

type Seen = ControlFrame | { type: "data"; streamId: number; bytes: string; fin: boolean };

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");

/** A decoder and its output, with the parts of each data frame joined. */
function decoding(): { decoder: FrameDecoder; frames: Seen[] } {
  const frames: Seen[] = [];
  const decoder = new FrameDecoder({
    onFrame: (frame) =>
      frames.push("headerBlock" in frame ? { ...frame, headerBlock: Buffer.from(frame.headerBlock) } : frame),
    onData(streamId, bytes, fin) {
      const last = frames.at(-1);
      const parts = bytes.toString("latin1");
      if (last?.type === "data" && last.streamId === streamId && !last.fin) {
        last.bytes += parts;
        last.fin = fin;
      } else frames.push({ type: "data", streamId, bytes: parts, fin });
    },
  });
  return { decoder, frames };
}

function decode(...chunks: readonly Buffer[]): Seen[] {
  const { decoder, frames } = decoding();
  for (const chunk of chunks) decoder.write(chunk);
  return frames;
}

const block = Buffer.from("block");
const open = { associatedStreamId: 0, slot: 0, headerBlock: block };

/** Encoded by hand from the layout of each frame. */
const vectors: readonly [string, string, ControlFrame][] = [
  [
    "SYN_STREAM",
    "8003 0001 00 00000f 00000001 00000000 00 00 626c6f636b",
    { type: "synStream", streamId: 1, priority: 0, fin: false, unidirectional: false, ...open },
  ],
  [
    "SYN_STREAM with everything",
    "8003 0001 03 00000f 7fffffff 00000003 e0 07 626c6f636b",
    {
      type: "synStream",
      streamId: 0x7fffffff,
      priority: 7,
      fin: true,
      unidirectional: true,
      ...open,
      associatedStreamId: 3,
      slot: 7,
    },
  ],
  [
    "SYN_REPLY",
    "8003 0002 00 000009 00000003 626c6f636b",
    { type: "synReply", streamId: 3, fin: false, headerBlock: block },
  ],
  [
    "SYN_REPLY with FIN",
    "8003 0002 01 000004 00000003",
    { type: "synReply", streamId: 3, fin: true, headerBlock: Buffer.alloc(0) },
  ],
  ["RST_STREAM", "8003 0003 00 000008 00000005 00000005", { type: "rstStream", streamId: 5, status: 5 }],
  ["PING", "8003 0006 00 000004 80000001", { type: "ping", id: 0x80000001 }],
  ["GOAWAY", "8003 0007 00 000008 00000009 00000002", { type: "goAway", lastGoodStreamId: 9, status: 2 }],
  [
    "HEADERS",
    "8003 0008 01 000009 00000007 626c6f636b",
    { type: "headers", streamId: 7, fin: true, headerBlock: block },
  ],
];

describe("control frames", () => {
  test.each(vectors)("%s", (_name, bytes, frame) => {
    expect(encodeFrame(frame).toString("hex")).toBe(hex(bytes).toString("hex"));
    expect(decode(hex(bytes))).toEqual([frame]);
  });

  test("the high bit of ids is reserved and ignored", () => {
    expect(decode(hex("8003 0003 00 000008 80000005 00000005"))).toEqual([
      { type: "rstStream", streamId: 5, status: 5 },
    ]);
  });

  test.each([
    ["SETTINGS", "8003 0004 01 000014 00000002 01000004 00000064 00000007 00010000"],
    ["malformed SETTINGS", "8003 0004 00 000004 ffffffff"],
    ["WINDOW_UPDATE", "8003 0009 00 000008 00000000 00010000"],
    ["an unknown type", `8003 000a ff 010001 ${"ff".repeat(65_537)}`],
    ["an unknown type without content", "8003 0fff 00 000000"],
  ])("%s is skipped", (_name, bytes) => {
    expect(decode(hex(bytes), hex("8003 0006 00 000004 00000001"))).toEqual([{ type: "ping", id: 1 }]);
  });

  test.each([
    ["another version", "8002 0006 00 000004 00000001"],
    ["a short SYN_STREAM", "8003 0001 00 000009 00000001 0000000000"],
    ["a short SYN_REPLY", "8003 0002 00 000003 000001"],
    ["a long RST_STREAM", "8003 0003 00 000009 00000001 00000005 00"],
    ["a short RST_STREAM", "8003 0003 00 000007 00000001 000005"],
    ["a long PING", "8003 0006 00 000008 00000001 00000001"],
    ["a short GOAWAY", "8003 0007 00 000004 00000001"],
    ["a SYN_REPLY that is too long", "8003 0002 00 ffffff"],
    ["a SYN_STREAM that is too long", "8003 0001 00 010001"],
    ["RST_STREAM of stream 0", "8003 0003 00 000008 00000000 00000005"],
    ["SYN_REPLY of stream 0", "8003 0002 00 000004 00000000"],
    ["SYN_STREAM of stream 0", "8003 0001 00 00000a 80000000 00000000 0000"],
    ["HEADERS of stream 0", "8003 0008 00 000004 00000000"],
    ["data of stream 0", "00000000 00 000001 00"],
  ])("rejects %s", (_name, bytes) => {
    expect(() => decode(hex(bytes))).toThrow(/violated the SPDY\/3\.1 protocol/);
  });
});

describe("data frames", () => {
  test.each([
    ["text", "00000003 00 000002 6869", { streamId: 3, bytes: "hi", fin: false }],
    ["text with FIN", "00000003 01 000002 6869", { streamId: 3, bytes: "hi", fin: true }],
    ["FIN only", "7fffffff 01 000000", { streamId: 0x7fffffff, bytes: "", fin: true }],
    ["an empty frame", "00000001 00 000000", { streamId: 1, bytes: "", fin: false }],
  ])("%s", (_name, bytes, frame) => {
    expect(decode(hex(bytes))).toEqual([{ type: "data", ...frame }]);
    const head = encodeDataHead(frame.streamId, frame.bytes.length, frame.fin);
    expect(Buffer.concat([head, Buffer.from(frame.bytes)]).toString("hex")).toBe(hex(bytes).toString("hex"));
  });

  test("passes on the longest one in parts, without a copy", () => {
    const parts: Buffer[] = [];
    const decoder = new FrameDecoder({ onFrame() {}, onData: (_id, bytes) => parts.push(bytes) });
    decoder.write(hex("00000001 01 ffffff"));
    const chunk = Buffer.alloc(65_536);
    decoder.write(chunk);
    expect(parts).toHaveLength(1);
    expect(parts[0]?.buffer).toBe(chunk.buffer);
  });
});

const stream = Buffer.concat([
  ...vectors.map(([, bytes]) => hex(bytes)),
  hex("00000003 00 000005 68656c6c6f 8003 00aa 00 000003 010203 00000003 01 000000 00000005 01 000001 21"),
]);

describe("chunks", () => {
  const whole = decode(stream);

  test("cut in two at any byte", () => {
    for (let at = 0; at <= stream.length; at++) {
      expect(decode(stream.subarray(0, at), stream.subarray(at))).toEqual(whole);
    }
  });

  test("byte by byte", () => {
    expect(decode(...Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test("cut into random chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
        expect(decode(...at.slice(1).map((end, index) => stream.subarray(at[index], end)))).toEqual(whole);
      }),
    );
  });

  test("decodes at most the given number of frames", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: stream.length }), (maxFrames, length) => {
        const seen = decoding();
        for (let at = 0; at < stream.length; ) {
          const before = seen.frames.length;
          const taken = seen.decoder.write(stream.subarray(at, at + length), maxFrames);
          expect(taken).toBeGreaterThan(0);
          expect(seen.frames.length - before).toBeLessThanOrEqual(maxFrames + 1);
          at += taken;
        }
        expect(seen.frames).toEqual(whole);
      }),
    );
  });

  test("decodes nothing after stop, not even the rest of the chunk", () => {
    let count = 0;
    const decoder: FrameDecoder = new FrameDecoder({
      onFrame() {
        count++;
        decoder.stop();
      },
      onData() {},
    });
    decoder.write(stream);
    decoder.write(stream);
    expect(count).toBe(1);
  });
});

describe("random input", () => {
  const decodesOrRejects = (bytes: Buffer, cut: number) => {
    const at = cut % (bytes.length + 1);
    try {
      decode(bytes.subarray(0, at), bytes.subarray(at));
    } catch (error) {
      expect(error).toMatchObject({ code: "INTERNAL" });
    }
  };

  test("random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, cut) =>
        decodesOrRejects(Buffer.from(bytes), cut),
      ),
      { numRuns: 2_000 },
    );
  });

  test("valid frames with changed bytes", () => {
    const changes = fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, fc.nat(), (list, cut) => {
        const bytes = Buffer.from(stream);
        for (const [at, byte] of list) bytes[at] = byte;
        decodesOrRejects(bytes, cut);
      }),
      { numRuns: 2_000 },
    );
  });
});
