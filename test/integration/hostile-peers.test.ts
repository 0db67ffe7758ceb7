/** Calls to a malicious or broken peer always fail within their deadline, with a code and in bounded memory. */

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
import { clientOf, expectRecovery, floodStream, longMs, mebibyte, outcome, shortMs } from "./hostile-support.js";

interface HostilePeer {
  name: string;
  serve: () => Promise<HostileServer>;
  /** The expected code of Version. */
  code: CriErrorCode;
  /** The expected code of StopContainer, or `"OK"` if its reply is valid. @defaultValue code */
  change?: CriErrorCode | "OK";
  /** Whether the request certainly reached no handler, so that the error says that it had no effect. @defaultValue false */
  neverSent?: boolean;
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
const hex = (digits: string) => Buffer.from(digits, "hex");

/** Serves a reply that is marked as compressed. */
const compressed = (encoding: string | undefined, bytes: Uint8Array) =>
  frames((call) => {
    const headers: HeaderField[] = encoding === undefined ? [] : [["grpc-encoding", encoding]];
    call
      .headers([...okHeaders, ...headers])
      .message(bytes, 1)
      .trailers();
  });

/** An HTTP/2 SETTINGS frame with one setting. */
const setting = (id: number, value: number) => ({ settings: Buffer.concat([Buffer.of(0, id), uint32(value)]) });

const zeros = Buffer.alloc(mebibyte);

/** 1 GiB of zeros, as 1,024 concatenated gzip members. */
const bomb = Buffer.alloc(1_024 * gzipSync(zeros).length, gzipSync(zeros));

/** The start of a message with the largest possible length, and of one with a length of 1 KiB. */
const longest = Buffer.of(0, 0xff, 0xff, 0xff, 0xff, 1);
const beginning = Buffer.of(0, 0, 0, 4, 0, 1);

const errorPage: readonly HeaderField[] = [
  [":status", "503"],
  ["content-type", "text/html"],
];

/** Encodes a PUSH_PROMISE frame for a call. */
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
  // Peers without HTTP/2.
  {
    name: "accepts connections and sends nothing",
    serve: socket((peer) => void peer.resume()),
    code: "DEADLINE_EXCEEDED",
  },
  {
    name: "closes the connection at once",
    serve: socket((peer) => void peer.destroy()),
    code: "UNAVAILABLE",
    neverSent: true,
  },
  {
    name: "speaks HTTP/1.1",
    serve: socket((peer) => void peer.resume().end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")),
    code: "UNAVAILABLE",
    neverSent: true,
  },
  {
    name: "speaks TLS",
    serve: socket(
      (peer) => void peer.resume().write(Buffer.concat([hex("160303007a0200007603"), zeros.subarray(0, 117)])),
    ),
    code: "UNAVAILABLE",
    neverSent: true,
  },
  {
    name: "sends endless garbage",
    serve: socket((peer) => flood(peer.resume(), Buffer.from("SSH-2.0 and more of it\r\n".repeat(100)))),
    code: "UNAVAILABLE",
    neverSent: true,
  },
  // HTTP/2 without a complete reply.
  { name: "completes the HTTP/2 handshake and never replies", serve: frames(() => {}), code: "DEADLINE_EXCEEDED" },
  { name: "allows no calls", serve: frames(() => {}, setting(3, 0)), code: "DEADLINE_EXCEEDED" },
  {
    name: "has a flow-control window of 0 for requests",
    serve: frames(() => {}, setting(4, 0)),
    code: "DEADLINE_EXCEEDED",
  },
  { name: "sends headers only", serve: frames((call) => call.headers()), code: "DEADLINE_EXCEEDED" },
  {
    name: "sends a message and no trailers",
    serve: frames((call) => call.headers().message()),
    code: "DEADLINE_EXCEEDED",
  },
  {
    name: "sends one byte every 10 ms",
    serve: frames((call) => {
      call.headers().data(beginning);
      const timer = setInterval(() => call.data(Buffer.of(0)), 10);
      call.socket.once("close", () => clearInterval(timer));
    }),
    code: "DEADLINE_EXCEEDED",
  },
  {
    name: "sends endless messages to a unary call",
    serve: () => serveStreams((stream) => void floodStream(stream, envelope(zeros))),
    code: "DEADLINE_EXCEEDED",
  },
  // Closed connections.
  { name: "closes the connection on each call", serve: frames((call) => call.socket.destroy()), code: "UNAVAILABLE" },
  {
    name: "closes the connection during a message",
    serve: frames((call) => void call.headers().data(beginning).socket.end()),
    code: "UNAVAILABLE",
  },
  {
    name: "resets the connection during a message",
    serve: frames(
      (call) => void setTimeout(() => call.socket.resetAndDestroy(), call.headers().data(beginning) && 20),
      {
        transport: "tcp",
      },
    ),
    code: "UNAVAILABLE",
  },
  { name: "sends GOAWAY for every call", serve: frames((call) => call.goaway(0, 0)), code: "UNAVAILABLE" },
  {
    name: "sends GOAWAY with an error during the reply",
    serve: frames((call) => call.headers().goaway(call.streamId, 2)),
    code: "INTERNAL",
  },
  {
    name: "sends GOAWAY for too many pings",
    serve: frames((call) => call.headers().goaway(call.streamId, 11).socket.end()),
    code: "RESOURCE_EXHAUSTED",
  },
  // Floods.
  {
    name: "ignores flow control",
    serve: frames((call) => {
      call.headers();
      flood(call.socket, encodeFrame(frameType.data, 0, call.streamId, zeros.subarray(0, 16_384)));
    }),
    code: "INTERNAL",
  },
  {
    name: "sends endless trailers",
    serve: frames((call) => {
      call.headers().frame(frameType.headers, frameFlag.endStream, encodeHeaderBlock([["grpc-status", "13"]]));
      const more = encodeHeaderBlock([["x", "x".repeat(16_000)]]);
      flood(call.socket, encodeFrame(frameType.continuation, 0, call.streamId, more));
    }),
    code: "INTERNAL",
  },
  {
    name: "sends endless interim responses",
    serve: frames(
      (call) => {
        const block = encodeHeaderBlock([[":status", "100"]]);
        const response = encodeFrame(frameType.headers, frameFlag.endHeaders, call.streamId, block);
        flood(call.socket, Buffer.alloc(10_000 * response.length, response));
      },
      // TCP buffers more than a unix socket, so that one turn of the event loop reads more.
      { transport: "tcp" },
    ),
    code: "INTERNAL",
  },
  {
    name: "repeats the headers endlessly",
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
    name: "pushes a response and resets it",
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
    name: "pushes 1,000 responses",
    serve: frames((call) =>
      call.bytes(Buffer.concat(Array.from({ length: 1_000 }, (_, i) => push(call, call.streamId + 1 + 2 * i)))),
    ),
    code: "INTERNAL",
  },
  // The length and compression of messages.
  {
    name: "announces a message of 4 GiB",
    serve: frames((call) => call.headers().data(longest)),
    code: "RESOURCE_EXHAUSTED",
  },
  {
    name: "sends a compressed message without an encoding",
    serve: compressed(undefined, gzipSync("x")),
    code: "INTERNAL",
  },
  {
    name: "sends a message with an unsupported encoding",
    serve: compressed("zstd", Buffer.from("x")),
    code: "INTERNAL",
  },
  { name: "sends malformed gzip", serve: compressed("gzip", Buffer.from("x")), code: "INTERNAL" },
  {
    name: "sends half of a gzip message",
    serve: compressed("gzip", gzipSync("xyz").subarray(0, 15)),
    code: "INTERNAL",
  },
  {
    name: "compresses 1 GiB with gzip",
    serve: compressed("gzip", bomb),
    code: "RESOURCE_EXHAUSTED",
    limitMebibytes: 8,
  },
  {
    name: "compresses 100 MiB with deflate",
    serve: compressed("deflate", deflateSync(Buffer.alloc(100 * mebibyte), { level: 1 })),
    code: "RESOURCE_EXHAUSTED",
    limitMebibytes: 8,
  },
  {
    name: "sends two messages",
    serve: frames((call) => call.headers().message().message().trailers()),
    code: "DEADLINE_EXCEEDED",
  },
  { name: "sends OK without a message", serve: frames((call) => call.headers().trailers()), code: "INTERNAL" },
  // Malformed messages.
  { name: "sends an empty message", serve: withReply(Buffer.alloc(0)), code: "INVALID_RESPONSE", change: "OK" },
  { name: "truncates a string", serve: withReply(hex("0aff01")), code: "INTERNAL" },
  { name: "sends a negative length", serve: withReply(hex("0affffffff0f")), code: "INTERNAL" },
  { name: "sends an endless varint", serve: withReply(Buffer.alloc(1_000, 0xff)), code: "INTERNAL" },
  { name: "nests one million groups", serve: withReply(Buffer.alloc(mebibyte, 0x7b)), code: "INTERNAL" },
  {
    name: "sends a string that is not UTF-8",
    serve: withReply(hex("0a02fffe")),
    code: "INVALID_RESPONSE",
    change: "OK",
  },
  // Invalid statuses.
  { name: "sends no status", serve: withStatus(["x", "y"]), code: "UNKNOWN" },
  {
    name: "sends an empty status",
    serve: frames((call) => call.headers().trailers([["grpc-status", ""]])),
    code: "INTERNAL",
  },
  { name: "sends a status name instead of a number", serve: withStatus(["grpc-status", "internal"]), code: "UNKNOWN" },
  { name: "sends an unknown status", serve: withStatus(["grpc-status", "99"]), code: "UNKNOWN" },
  { name: "sends a negative status", serve: withStatus(["grpc-status", "-1"]), code: "UNKNOWN" },
  { name: "sends two statuses", serve: withStatus(["grpc-status", "0"], ["grpc-status", "13"]), code: "UNKNOWN" },
  {
    name: "sends an error message of 16,000 characters",
    serve: withStatus(["grpc-status", "13"], ["grpc-message", "a".repeat(16_000)]),
    code: "INTERNAL",
  },
  {
    name: "sends an error message with terminal control characters",
    serve: withStatus(["grpc-status", "13"], ["grpc-message", "%1B[2J%07red%0Aline%C2%9B1A%E2%80%AEtxt"]),
    code: "INTERNAL",
  },
  // Other HTTP servers.
  {
    name: "is a web server that fails",
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
    name: "sends no HTTP status",
    serve: frames((call) => call.headers([["content-type", "application/grpc"]])),
    code: "INTERNAL",
  },
];

describe("a peer that", () => {
  test.each(peers)(
    "$name",
    { timeout: 90_000 },
    async ({ serve, code, change = code, neverSent = false, limitMebibytes }) => {
      const server = await serve();
      const cri = clientOf(server, limitMebibytes);
      const limitMs = code === "DEADLINE_EXCEEDED" ? shortMs : longMs;
      const read = await outcome((timeoutMs) => cri.version({ timeoutMs }), limitMs);
      expect(read).toMatchObject({ code, mayHaveTakenEffect: false });
      const changed = await outcome(
        (timeoutMs) => cri.containers.get("c1").stop({ timeoutMs, gracePeriodSeconds: 1 }),
        limitMs,
      );
      if (change === "OK") expect(changed).toBe("OK");
      else expect(changed).toMatchObject({ code: change, mayHaveTakenEffect: !neverSent });
      await expectRecovery(cri, server);
    },
  );
});

describe("RST_STREAM", () => {
  /** The HTTP/2 error codes by number, and the expected codes of the calls. */
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
    ["an unknown code", "INTERNAL"],
  ];

  test.each<[string, (call: RawCall) => RawCall]>([
    ["before the headers", (call) => call],
    ["after the headers", (call) => call.headers()],
    ["during a message", (call) => call.headers().data(beginning)],
    ["after a message", (call) => call.headers().message()],
  ])("fails the call with the matching code, %s", async (_when, begin) => {
    let rstCode = 0;
    const server = await serveFrames((call) => begin(call).reset(rstCode));
    const cri = clientOf(server);
    for (const [name, code] of codes) {
      const read = await outcome((timeoutMs) => cri.version({ timeoutMs, retry: false }));
      expect(read, name).toMatchObject({ code, mayHaveTakenEffect: false });
      const changed = await outcome((timeoutMs) =>
        cri.containers.get("c1").stop({ timeoutMs, retry: false, gracePeriodSeconds: 1 }),
      );
      expect(changed, name).toMatchObject({ code, mayHaveTakenEffect: true });
      rstCode++;
    }
    await expectRecovery(cri, server);
  });
});
