import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../../src/errors.js";
import { openWebSocketPortForward } from "../../../../src/streaming/websocket/port-forward.js";
import { openWebSocketRemoteCommand } from "../../../../src/streaming/websocket/remote-command.js";
import { deadPort, failure, serveBare, serveHttp, switching, token } from "./support.js";

const streams = { stdin: true, stdout: true, stderr: true, tty: false };
const refused = async (url: URL, handshakeTimeoutMs = 5_000) => {
  const error = await failure(openWebSocketRemoteCommand(url, streams, { handshakeTimeoutMs }));
  expect(error).toBeInstanceOf(CriError);
  expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(token);
  return error as CriError;
};

describe("what is asked for", () => {
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

describe("refusals", () => {
  test.each([
    [404, "NOT_FOUND", /one connection within a minute \(HTTP 404: why it was\)$/],
    [403, "UNIMPLEMENTED", /refused WebSocket v5\.channel\.k8s\.io, v4\.channel\.k8s\.io \(HTTP 403: why it was\)$/],
    [400, "UNIMPLEMENTED", /HTTP 400: why it was/],
    [401, "UNAUTHENTICATED", /HTTP 401: why it was/],
    [500, "UNAVAILABLE", /HTTP 500: why it was/],
    [200, "UNAVAILABLE", /HTTP 200: why it was/],
  ])("%i", async (statusCode, code, message) => {
    const server = await serveHttp((_, response) => response.writeHead(statusCode).end("why it was\r\nand more"));
    const error = await refused(server.url);
    expect(error).toMatchObject({ code, attempts: 1, mayHaveTakenEffect: false });
    expect(error.message).toMatch(message);
    await server.drained();
  });

  test("redirects are not followed", async () => {
    let requests = 0;
    const server = await serveHttp((_, response) => {
      requests++;
      response.writeHead(302, { location: `${server.url.href}again` }).end();
    });
    expect((await refused(server.url)).message).toMatch(/HTTP 302/);
    expect(requests).toBe(1);
    await server.drained();
  });

  test("a body is read to its first line, within bounds", async () => {
    const server = await serveHttp((_, response) => {
      response.writeHead(500);
      const write = () => response.destroyed || response.write("x".repeat(10_000), write);
      write();
    });
    const error = await refused(server.url);
    expect(error.details.length).toBeLessThan(300);
    expect(error.details).toContain("HTTP 500: xxx");
    await server.drained();
  });

  test("a body that never ends", async () => {
    const server = await serveHttp((_, response) => void response.writeHead(403).write("half a li"));
    expect(await refused(server.url, 300)).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await server.drained();
  });
});

describe("no handshake", () => {
  test("nobody listens", async () => {
    const port = await deadPort();
    for (const host of ["127.0.0.1", "localhost"]) {
      const error = await refused(new URL(`http://${host}:${port}/exec/${token}`));
      expect(error).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: false });
      expect(error.message).toMatch(/ECONNREFUSED/);
    }
  });

  test.each([
    ["silence", () => {}],
    [
      "one byte at a time",
      (socket: import("node:net").Socket) => {
        let i = 0;
        const timer = setInterval(() => socket.write("HTTP/1.1 101 Switching Protocols\r\nX: "[i++] ?? "x"), 20);
        socket.once("close", () => clearInterval(timer));
      },
    ],
  ])("a server that answers with %s", async (_, onRequest) => {
    const server = await serveBare(onRequest);
    const started = performance.now();
    expect(await refused(server.url, 300)).toMatchObject({ code: "DEADLINE_EXCEEDED", mayHaveTakenEffect: true });
    expect(performance.now() - started).toBeLessThan(3_000);
    await server.drained();
  });

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
    ["no HTTP", () => "\x80\x03\x00\x02 hello\r\n\r\n", /Parse Error/],
    ["endless headers", () => `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(100_000)}`, /cannot be reached over WebSocket/],
    ["the end", () => "", /socket hang up|ECONNRESET/],
  ])("101 or not, with %s", async (_, answer, message) => {
    const server = await serveBare((socket, head) => socket.end(answer(head)));
    const error = await refused(server.url);
    expect(error.code).toBe("UNAVAILABLE");
    expect(error.message).toMatch(message);
    await server.drained();
  });

  test("an abort meanwhile rejects with its reason", async () => {
    const server = await serveBare(() => controller.abort("later"));
    const controller = new AbortController();
    const { signal } = controller;
    await expect(openWebSocketRemoteCommand(server.url, streams, { signal })).rejects.toBe("later");
    await server.drained();
  });
});
