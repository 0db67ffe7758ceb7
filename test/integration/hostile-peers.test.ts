/** Peers that are no runtime, or an evil one: every call ends in time, in an error with a code, and takes little memory. */

import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { CriErrorCode } from "../../src/index.js";
import {
  envelope,
  flood,
  type HostileServer,
  okHeaders,
  type RawCall,
  serveFrames,
  serveSocket,
  serveStreams,
} from "../support/hostile-server.js";
import {
  encodeFrame,
  encodeHeaderBlock,
  frameFlag,
  frameType,
  type HeaderField,
  uint32,
} from "../support/http2-frames.js";
import { clientOf, floodStream, longMs, mebibyte, outcome, recovers, shortMs } from "./hostile-support.js";

interface HostilePeer {
  name: string;
  serve: () => Promise<HostileServer>;
  /** What Version fails with. */
  code: CriErrorCode;
  /** What a call that changes something fails with; `"OK"` where nothing is wrong with its reply. @defaultValue code */
  change?: CriErrorCode | "OK";
  /** It is certain that no handler was reached, so the error promises that nothing happened. @defaultValue false */
  unsent?: boolean;
  /** The client's receive limit, in MiB. @defaultValue its own default, 80 */
  limitMebibytes?: number;
}

const frames =
  (script: (call: RawCall) => void, options?: Parameters<typeof serveFrames>[1]): HostilePeer["serve"] =>
  () =>
    serveFrames(script, options);

const socket = (script: Parameters<typeof serveSocket>[0]) => () => serveSocket(script);
const withStatus = (...fields: HeaderField[]) => frames((call) => call.headers().message().trailers(fields));
const withReply = (bytes: Uint8Array) => frames((call) => call.headers().message(bytes).trailers());
const hex = (text: string) => Buffer.from(text, "hex");

/** A reply that says it is packed. */
const packed = (encoding: string | undefined, bytes: Uint8Array) =>
  frames((call) => {
    const headers: HeaderField[] = encoding === undefined ? [] : [["grpc-encoding", encoding]];
    call
      .headers([...okHeaders, ...headers])
      .message(bytes, 1)
      .trailers();
  });

/** One setting of HTTP/2. */
const setting = (id: number, value: number) => ({ settings: Buffer.concat([Buffer.of(0, id), uint32(value)]) });

const zeros = Buffer.alloc(mebibyte);

/** A GiB of zeros: members of gzip may follow one another. */
const bomb = Buffer.alloc(1_024 * gzipSync(zeros).length, gzipSync(zeros));

/** A message that says it is as long as can be said, or one KiB, and what comes of it. */
const longest = Buffer.of(0, 0xff, 0xff, 0xff, 0xff, 1);
const beginning = Buffer.of(0, 0, 0, 4, 0, 1);

const errorPage: readonly HeaderField[] = [
  [":status", "503"],
  ["content-type", "text/html"],
];

/** A push to a call. */
function push({ streamId }: RawCall, pushedId: number): Buffer {
  const request = encodeHeaderBlock([
    [":method", "GET"],
    [":scheme", "http"],
    [":authority", "localhost"],
    [":path", "/"],
  ]);
  return encodeFrame(frameType.pushPromise, frameFlag.endHeaders, streamId, Buffer.concat([uint32(pushedId), request]));
}

const peers: HostilePeer[] = [
  // No HTTP/2.
  { name: "accepts and never speaks", serve: socket((peer) => void peer.resume()), code: "DEADLINE_EXCEEDED" },
  { name: "hangs up at once", serve: socket((peer) => void peer.destroy()), code: "UNAVAILABLE", unsent: true },
  {
    name: "speaks HTTP/1.1",
    serve: socket((peer) => void peer.resume().end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")),
    code: "UNAVAILABLE",
    unsent: true,
  },
  {
    name: "speaks TLS",
    serve: socket(
      (peer) => void peer.resume().write(Buffer.concat([hex("160303007a0200007603"), zeros.subarray(0, 117)])),
    ),
    code: "UNAVAILABLE",
    unsent: true,
  },
  {
    name: "sends garbage without an end",
    serve: socket((peer) => flood(peer.resume(), Buffer.from("SSH-2.0 and more of it\r\n".repeat(100)))),
    code: "UNAVAILABLE",
    unsent: true,
  },
  // HTTP/2, and no answer.
  { name: "greets and never answers", serve: frames(() => {}), code: "DEADLINE_EXCEEDED" },
  { name: "allows no calls", serve: frames(() => {}, setting(3, 0)), code: "DEADLINE_EXCEEDED" },
  { name: "takes no request", serve: frames(() => {}, setting(4, 0)), code: "DEADLINE_EXCEEDED" },
  { name: "sends headers and then nothing", serve: frames((call) => call.headers()), code: "DEADLINE_EXCEEDED" },
  { name: "sends a message and no end", serve: frames((call) => call.headers().message()), code: "DEADLINE_EXCEEDED" },
  {
    name: "drips a byte every 10 ms",
    serve: frames((call) => {
      call.headers().data(beginning);
      const timer = setInterval(() => call.data(Buffer.of(0)), 10);
      call.socket.once("close", () => clearInterval(timer));
    }),
    code: "DEADLINE_EXCEEDED",
  },
  {
    name: "sends messages without an end to a call that wants one",
    serve: () => serveStreams((stream) => void floodStream(stream, envelope(zeros))),
    code: "DEADLINE_EXCEEDED",
  },
  // The end of the connection.
  { name: "hangs up on the call", serve: frames((call) => call.socket.destroy()), code: "UNAVAILABLE" },
  {
    name: "hangs up in the middle of a message",
    serve: frames((call) => void call.headers().data(beginning).socket.end()),
    code: "UNAVAILABLE",
  },
  {
    name: "resets the connection in the middle of a message",
    serve: frames(
      (call) => void setTimeout(() => call.socket.resetAndDestroy(), call.headers().data(beginning) && 20),
      {
        transport: "tcp",
      },
    ),
    code: "UNAVAILABLE",
  },
  { name: "says GOAWAY to every call", serve: frames((call) => call.goaway(0, 0)), code: "UNAVAILABLE" },
  {
    name: "says GOAWAY for an error in the middle",
    serve: frames((call) => call.headers().goaway(call.streamId, 2)),
    code: "INTERNAL",
  },
  {
    name: "says GOAWAY for too many pings",
    serve: frames((call) => call.headers().goaway(call.streamId, 11).socket.end()),
    code: "RESOURCE_EXHAUSTED",
  },
  // Floods.
  {
    name: "pays no heed to flow control",
    serve: frames((call) => {
      call.headers();
      flood(call.socket, encodeFrame(frameType.data, 0, call.streamId, zeros.subarray(0, 16_384)));
    }),
    code: "INTERNAL",
  },
  {
    name: "sends trailers that never end",
    serve: frames((call) => {
      call.headers().frame(frameType.headers, frameFlag.endStream, encodeHeaderBlock([["grpc-status", "13"]]));
      const more = encodeHeaderBlock([["x", "x".repeat(16_000)]]);
      flood(call.socket, encodeFrame(frameType.continuation, 0, call.streamId, more));
    }),
    code: "INTERNAL",
  },
  {
    name: "sends interim responses without an end",
    serve: frames(
      (call) => {
        const block = encodeHeaderBlock([[":status", "100"]]);
        const response = encodeFrame(frameType.headers, frameFlag.endHeaders, call.streamId, block);
        flood(call.socket, Buffer.alloc(10_000 * response.length, response));
      },
      // A unix socket holds less, and so does one turn of the event loop.
      { transport: "tcp" },
    ),
    code: "INTERNAL",
  },
  {
    name: "sends headers again and again",
    serve: frames((call) =>
      flood(
        call.socket,
        encodeFrame(frameType.headers, frameFlag.endHeaders, call.streamId, encodeHeaderBlock(okHeaders)),
      ),
    ),
    code: "INTERNAL",
  },
  {
    name: "sends five hundred trailers",
    serve: withStatus(["grpc-status", "13"], ...Array.from({ length: 500 }, (_, i): HeaderField => [`x-${i}`, "y"])),
    code: "RESOURCE_EXHAUSTED",
  },
  {
    name: "floods with PING",
    serve: frames((call) =>
      flood(call.socket, Buffer.alloc(17_000, encodeFrame(frameType.ping, 0, 0, Buffer.alloc(8)))),
    ),
    code: "INTERNAL",
  },
  {
    name: "floods with SETTINGS",
    serve: frames((call) => flood(call.socket, Buffer.alloc(9_000, encodeFrame(frameType.settings, 0, 0)))),
    code: "INTERNAL",
  },
  {
    name: "pushes what nobody asked for, and resets it",
    serve: frames((call) =>
      call
        .bytes(push(call, call.streamId + 1))
        .bytes(encodeFrame(frameType.rstStream, 0, call.streamId + 1, uint32(2)))
        .headers()
        .trailers([["grpc-status", "13"]]),
    ),
    code: "INTERNAL",
  },
  {
    name: "pushes again and again",
    serve: frames((call) =>
      call.bytes(Buffer.concat(Array.from({ length: 1_000 }, (_, i) => push(call, call.streamId + 1 + 2 * i)))),
    ),
    code: "INTERNAL",
  },
  // The envelope of messages.
  {
    name: "announces a message of 4 GiB",
    serve: frames((call) => call.headers().data(longest)),
    code: "RESOURCE_EXHAUSTED",
  },
  { name: "says that it packed, not how", serve: packed(undefined, gzipSync("x")), code: "INTERNAL" },
  { name: "packs as nobody does", serve: packed("zstd", Buffer.from("x")), code: "INTERNAL" },
  { name: "packs badly", serve: packed("gzip", Buffer.from("x")), code: "INTERNAL" },
  { name: "packs half a message", serve: packed("gzip", gzipSync("xyz").subarray(0, 15)), code: "INTERNAL" },
  { name: "packs a GiB with gzip", serve: packed("gzip", bomb), code: "RESOURCE_EXHAUSTED", limitMebibytes: 8 },
  {
    name: "packs 100 MiB with deflate",
    serve: packed("deflate", deflateSync(Buffer.alloc(100 * mebibyte), { level: 1 })),
    code: "RESOURCE_EXHAUSTED",
    limitMebibytes: 8,
  },
  {
    name: "answers with two messages",
    serve: frames((call) => call.headers().message().message().trailers()),
    code: "DEADLINE_EXCEEDED",
  },
  { name: "answers OK without a message", serve: frames((call) => call.headers().trailers()), code: "INTERNAL" },
  // The message.
  { name: "sends an empty message", serve: withReply(Buffer.alloc(0)), code: "INVALID_RESPONSE", change: "OK" },
  { name: "cuts a string short", serve: withReply(hex("0aff01")), code: "INTERNAL" },
  { name: "sends a negative length", serve: withReply(hex("0affffffff0f")), code: "INTERNAL" },
  { name: "sends a number without an end", serve: withReply(Buffer.alloc(1_000, 0xff)), code: "INTERNAL" },
  { name: "nests groups a million deep", serve: withReply(Buffer.alloc(mebibyte, 0x7b)), code: "INTERNAL" },
  { name: "sends text that is no UTF-8", serve: withReply(hex("0a02fffe")), code: "INVALID_RESPONSE", change: "OK" },
  // The status.
  { name: "ends without a status", serve: withStatus(["x", "y"]), code: "UNKNOWN" },
  {
    name: "sends an empty status",
    serve: frames((call) => call.headers().trailers([["grpc-status", ""]])),
    code: "INTERNAL",
  },
  { name: "sends a status in words", serve: withStatus(["grpc-status", "internal"]), code: "UNKNOWN" },
  { name: "sends a status that there is not", serve: withStatus(["grpc-status", "99"]), code: "UNKNOWN" },
  { name: "sends a negative status", serve: withStatus(["grpc-status", "-1"]), code: "UNKNOWN" },
  { name: "sends two statuses", serve: withStatus(["grpc-status", "0"], ["grpc-status", "13"]), code: "UNKNOWN" },
  {
    name: "explains itself in 16,000 letters",
    serve: withStatus(["grpc-status", "13"], ["grpc-message", "a".repeat(16_000)]),
    code: "INTERNAL",
  },
  {
    name: "explains itself in what moves the cursor",
    serve: withStatus(["grpc-status", "13"], ["grpc-message", "%1B[2J%07red%0Aline%C2%9B1A%E2%80%AEtxt"]),
    code: "INTERNAL",
  },
  // Somebody else's HTTP.
  {
    name: "is a web server in trouble",
    serve: frames((call) =>
      call
        .headers(errorPage)
        .data(Buffer.from("<html>Sorry</html>"))
        .trailers([["x", "y"]]),
    ),
    code: "UNAVAILABLE",
  },
  {
    name: "is a web server",
    serve: frames((call) =>
      call
        .headers([
          [":status", "200"],
          ["content-type", "text/html"],
        ])
        .data(Buffer.from("<html>Hello</html>")),
    ),
    code: "RESOURCE_EXHAUSTED",
  },
  {
    name: "answers without an HTTP status",
    serve: frames((call) => call.headers([["content-type", "application/grpc"]])),
    code: "INTERNAL",
  },
];

describe("a peer that", () => {
  test.each(peers)(
    "$name",
    { timeout: 90_000 },
    async ({ serve, code, change = code, unsent = false, limitMebibytes }) => {
      const server = await serve();
      const cri = clientOf(server, limitMebibytes);
      const limitMs = code === "DEADLINE_EXCEEDED" ? shortMs : longMs;
      const asked = await outcome((timeoutMs) => cri.version({ timeoutMs }), limitMs);
      expect(asked).toMatchObject({ code, mayHaveTakenEffect: false });
      const changed = await outcome(
        (timeoutMs) => cri.containers.get("c1").stop({ timeoutMs, gracePeriodSeconds: 1 }),
        limitMs,
      );
      if (change === "OK") expect(changed).toBe("OK");
      else expect(changed).toMatchObject({ code: change, mayHaveTakenEffect: !unsent });
      await recovers(cri, server);
    },
  );
});

describe("RST_STREAM", () => {
  /** The names of HTTP/2's codes, and what they come to. */
  const codes: readonly (readonly [string, CriErrorCode])[] = [
    ["NO_ERROR", "INTERNAL"],
    ["PROTOCOL_ERROR", "INTERNAL"],
    ["INTERNAL_ERROR", "INTERNAL"],
    ["FLOW_CONTROL_ERROR", "INTERNAL"],
    ["SETTINGS_TIMEOUT", "INTERNAL"],
    ["STREAM_CLOSED", "INTERNAL"],
    ["FRAME_SIZE_ERROR", "INTERNAL"],
    ["REFUSED_STREAM", "UNAVAILABLE"],
    ["CANCEL", "CANCELLED"],
    ["COMPRESSION_ERROR", "INTERNAL"],
    ["CONNECT_ERROR", "INTERNAL"],
    ["ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED"],
    ["INADEQUATE_SECURITY", "INTERNAL"],
    ["HTTP_1_1_REQUIRED", "INTERNAL"],
    ["a code that there is not", "INTERNAL"],
  ];

  test.each<[string, (call: RawCall) => RawCall]>([
    ["before the headers", (call) => call],
    ["behind the headers", (call) => call.headers()],
    ["in the middle of a message", (call) => call.headers().data(beginning)],
    ["behind a message", (call) => call.headers().message()],
  ])("with every code, %s", async (_when, begin) => {
    let rstCode = 0;
    const server = await serveFrames((call) => begin(call).reset(rstCode));
    const cri = clientOf(server);
    for (const [name, code] of codes) {
      const asked = await outcome((timeoutMs) => cri.version({ timeoutMs, retry: false }));
      expect(asked, name).toMatchObject({ code, mayHaveTakenEffect: false });
      const changed = await outcome((timeoutMs) =>
        cri.containers.get("c1").stop({ timeoutMs, retry: false, gracePeriodSeconds: 1 }),
      );
      expect(changed, name).toMatchObject({ code, mayHaveTakenEffect: true });
      rstCode++;
    }
    await recovers(cri, server);
  });
});
