/** Streaming servers that flood a session. It ends or can be aborted, and does not delay other work of the process. */

import type { Socket } from "node:net";
import { constants, deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import type { CriError, CriErrorCode, ExecSession } from "../../src/index.js";
import { encodeDataHead, encodeFrame } from "../../src/streaming/spdy/frames.js";
import { recordFigures } from "../support/figures.js";
import { flood, serveRequests, serveSocket } from "../support/hostile-server.js";
import { maxStallMs, ResourceWatch } from "../support/resource-watch.js";
import { HostilePeer, switching as switchingToSpdy } from "../unit/streaming/spdy/support.js";
import { frame, switching as switchingToWebSocket } from "../unit/streaming/websocket/support.js";
import { clientOf, maxMebibytes, mebibyte, outcome } from "./hostile-support.js";
import { rejection, startFake } from "./support.js";

/** Time limit of a call to another runtime during the flood, in milliseconds. */
const otherCallMs = 500;

type Transport = "spdy" | "websocket";
type Script = (socket: Socket, head: string) => unknown;

/** The code with which a session fails; "aborted" if the test has to abort it. */
type Outcome = CriErrorCode | "aborted";

const hex = (text: string) => Buffer.from(text, "hex");
const repeat = (bytes: Uint8Array) => Buffer.alloc(Math.ceil(mebibyte / bytes.length) * bytes.length, bytes);

/** Accepts the streams of a session. The error stream has the id 1, standard output has 3. */
const spdy =
  (script: (peer: HostilePeer) => unknown): Script =>
  async (socket) => {
    socket.write(switchingToSpdy("v4.channel.k8s.io"));
    const peer = new HostilePeer(socket);
    await peer.replyTo("error", "stdout", "stderr");
    script(peer);
  };

const spdyFlood = (bytes: Uint8Array) => spdy(({ socket }) => flood(socket, repeat(bytes)));
const data = (streamId: number, text: string) =>
  Buffer.concat([encodeDataHead(streamId, text.length, false), Buffer.from(text)]);

/** HEADERS after the replies to the streams: the zlib stream has begun, and any block can continue it. */
const headersFrame = (block: Uint8Array) => {
  const headerBlock = deflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH });
  return encodeFrame({ type: "headers", streamId: 1, fin: false, headerBlock });
};

/** One header with 65,535 empty values. */
const manyValues = Buffer.concat([hex("00000001 00000001 61 0000fffe".replaceAll(" ", "")), Buffer.alloc(0xfffe)]);

const webSocket =
  (bytes: Uint8Array, beginning: Uint8Array = Buffer.alloc(0)): Script =>
  (socket, head) => {
    socket.write(switchingToWebSocket(head));
    socket.write(beginning);
    flood(socket, repeat(bytes));
  };

/** A message of one byte on a channel. */
const message = (channel: number) => frame(2, Buffer.of(channel, 120));

const http =
  (bytes: string, beginning = ""): Script =>
  (socket) => {
    socket.write(beginning);
    flood(socket, repeat(Buffer.from(bytes)));
  };

const servers: [string, Transport, Outcome, Script][] = [
  ["headers that inflate to 64 KiB", "spdy", "INTERNAL", spdyFlood(headersFrame(manyValues))],
  ["empty headers", "spdy", "INTERNAL", spdyFlood(headersFrame(Buffer.alloc(4)))],
  ["pings", "spdy", "INTERNAL", spdyFlood(encodeFrame({ type: "ping", id: 2 }))],
  ["answers to pings", "spdy", "aborted", spdyFlood(encodeFrame({ type: "ping", id: 1 }))],
  ["SETTINGS", "spdy", "aborted", spdyFlood(hex("800300040000000400000000"))],
  ["SETTINGS of 1 MiB", "spdy", "aborted", spdyFlood(Buffer.concat([hex("80030004000ffff8"), Buffer.alloc(0xffff8)]))],
  ["window updates", "spdy", "aborted", spdyFlood(hex("80030009000000080000000100000001"))],
  ["frames of an unknown type", "spdy", "aborted", spdyFlood(hex("800300ff00000000"))],
  ["GOAWAY", "spdy", "aborted", spdyFlood(encodeFrame({ type: "goAway", lastGoodStreamId: 1, status: 0 }))],
  ["RST_STREAM", "spdy", "aborted", spdyFlood(encodeFrame({ type: "rstStream", streamId: 3, status: 5 }))],
  ["empty output", "spdy", "aborted", spdyFlood(data(3, ""))],
  ["output in frames of one byte", "spdy", "aborted", spdyFlood(data(3, "x"))],
  [
    "output after its end",
    "spdy",
    "aborted",
    spdy((peer) => {
      peer.write(3, "", true);
      flood(peer.socket, repeat(data(3, "x")));
    }),
  ],
  ["a status in frames of one byte", "spdy", "INTERNAL", spdyFlood(data(1, "}"))],
  ["empty messages", "websocket", "aborted", webSocket(frame(2, Buffer.alloc(0)))],
  ["output in messages of one byte", "websocket", "aborted", webSocket(message(1))],
  ["messages on an unknown channel", "websocket", "aborted", webSocket(message(9))],
  ["text messages", "websocket", "UNAVAILABLE", webSocket(frame(1, Buffer.alloc(0)))],
  ["pings", "websocket", "aborted", webSocket(frame(9, Buffer.alloc(0)))],
  ["pongs", "websocket", "aborted", webSocket(frame(10, Buffer.alloc(0)))],
  [
    "empty fragments of a message",
    "websocket",
    "UNAVAILABLE",
    webSocket(frame(0, Buffer.alloc(0), { fin: false }), frame(2, Buffer.of(1), { fin: false })),
  ],
  ["a status of 1 MiB", "websocket", "UNAVAILABLE", webSocket(frame(2, Buffer.alloc(mebibyte, "\x03")))],
];

/** Responses to the upgrade request, over either protocol. */
const answers: [string, Outcome, Script][] = [
  ["interim responses", "UNAVAILABLE", http("HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n")],
  ["an endless header", "UNAVAILABLE", http("x", "HTTP/1.1 101 Switching Protocols\r\nx: ")],
  ["endless headers", "UNAVAILABLE", http("x: y\r\n", "HTTP/1.1 101 Switching Protocols\r\n")],
  ["an endless refusal", "UNIMPLEMENTED", http("no ", "HTTP/1.1 403 Forbidden\r\n\r\n")],
  [
    "a refusal in chunks of one byte",
    "UNIMPLEMENTED",
    http("1\r\nn\r\n", "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n"),
  ],
];

const floods = [
  ...servers,
  ...(["spdy", "websocket"] as const).flatMap((transport) =>
    answers.map(([name, ...rest]): (typeof servers)[number] => [name, transport, ...rest]),
  ),
];

test.each(floods)("a flood of %s over %s", { timeout: 60_000 }, async (_name, transport, expected, script) => {
  const { runtime, cri } = await startFake();
  const container = await (await cri.pods.run({ name: "p" })).runContainer({ name: "c", image: "busybox:1" });
  const { endpoint } = await serveRequests(script);
  runtime.respondNext("Exec", { url: `${endpoint}/exec/token` }, { times: Number.POSITIVE_INFINITY });
  const other = clientOf(await serveSocket((peer) => void peer.resume()));
  using watch = new ResourceWatch();
  const controller = new AbortController();
  const ended = endOf(container.exec(["x"], { transport, signal: controller.signal }));
  const otherOutcome = await outcome((timeoutMs) => other.version({ timeoutMs }), otherCallMs);
  // The other floods end without an abort, but possibly later on a busy machine.
  if (expected === "aborted") controller.abort(aborted);
  const end = await ended;
  recordFigures(end === aborted ? "aborted" : (end as CriError).code, watch);
  expect(otherOutcome).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  expect(end).toEqual(expected === "aborted" ? aborted : expect.objectContaining({ code: expected }));
  expect(watch.mebibytes).toBeLessThan(maxMebibytes);
  expect(watch.stallMs).toBeLessThan(maxStallMs);
});

const aborted = new Error("aborted by the test");

/** Reads the output of a session, and returns the error with which it fails. */
function endOf(session: Promise<ExecSession>): Promise<unknown> {
  const exit = session.then(({ stdout, stderr, exit }) => {
    stdout?.resume();
    stderr?.resume();
    return exit;
  });
  return rejection(exit);
}
