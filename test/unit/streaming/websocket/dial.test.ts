import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../../src/errors.js";
import { v4 } from "../../../../src/streaming/websocket/frames.js";
import { openWebSocketPortForward } from "../../../../src/streaming/websocket/port-forward.js";
import { openWebSocketRemoteCommand } from "../../../../src/streaming/websocket/remote-command.js";
import { failure, serveBare, switching, token } from "./support.js";

const streams = { stdin: true, stdout: true, stderr: true, tty: false };

describe("the request", () => {
  test.each([
    ["remote command", (url: URL) => openWebSocketRemoteCommand(url, streams), "v5.channel.k8s.io,v4.channel.k8s.io"],
    ["port-forward", (url: URL) => openWebSocketPortForward(url, 80), "v4.channel.k8s.io"],
  ])("%s", async (_, open, protocols) => {
    let request = "";
    const server = await serveBare((socket, head) => {
      request = head.toLowerCase();
      socket.destroy();
    });
    await failure(open(server.url));
    expect(request).toContain(`get /exec/${token.toLowerCase()} http/1.1\r\n`);
    expect(request).toContain(`sec-websocket-protocol: ${protocols}\r\n`);
    expect(request).not.toContain("extensions");
  });
});

describe("a frame", () => {
  /** Sends input to a server of this host name. Returns the masking key and the payload as they were on the wire. */
  const sent = async (host: string) => {
    let bytes = Buffer.alloc(0);
    const server = await serveBare((socket, head) => {
      socket.on("data", (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
      });
      socket.write(switching(head, { "Sec-WebSocket-Protocol": v4 }));
    });
    server.url.hostname = host;
    const session = await openWebSocketRemoteCommand(server.url, streams);
    session.stdin?.write("hello");
    const frameLength = 2 + 4 + 1 + "hello".length;
    await expect.poll(() => bytes.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(frameLength);
    session.destroy();
    return { isMasked: (bytes[1]! & 0x80) !== 0, key: bytes.readUInt32BE(2), text: bytes.toString("latin1", 7, 12) };
  };

  test("to a loopback address has the masking key 0, which changes no byte", async () => {
    expect(await sent("127.0.0.1")).toEqual({ isMasked: true, key: 0, text: "hello" });
  });

  test("to a host name, which may lead anywhere, has a random masking key", async () => {
    const { isMasked, key } = await sent("localhost");
    // One of 4 billion random keys is 0.
    expect([isMasked, key === 0]).toEqual([true, false]);
  });
});

describe("responses", () => {
  test.each([
    ["no subprotocol", (head: string) => switching(head, {}), /no subprotocol/],
    [
      "another subprotocol",
      (head: string) => switching(head, { "Sec-WebSocket-Protocol": "v3" }),
      /invalid subprotocol/,
    ],
    [
      "an extension",
      (head: string) =>
        switching(head, {
          "Sec-WebSocket-Protocol": "v4.channel.k8s.io",
          "Sec-WebSocket-Extensions": "permessage-deflate",
        }),
      /extension/,
    ],
    ["a wrong key", (head: string) => switching(head.replace(/key: .*/i, "Key: x")), /Sec-WebSocket-Accept/],
    [
      "another protocol",
      () => "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n",
      /Upgrade/,
    ],
    ["not HTTP", () => "\x80\x03\x00\x02 hello\r\n\r\n", /Parse Error/],
  ])("101, but %s", async (_, answer, message) => {
    const server = await serveBare((socket, head) => socket.end(answer(head)));
    const error = await failure(openWebSocketRemoteCommand(server.url, streams));
    expect(error).toBeInstanceOf(CriError);
    // The client must not retry over SPDY: the command may run.
    expect(error).toMatchObject({ code: "UNAVAILABLE", attempts: 1, mayHaveTakenEffect: true });
    expect(error.message).toMatch(message);
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(token);
    await server.drained();
  });
});
