import { once } from "node:events";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { openWebSocketPortForward } from "../../../../src/streaming/websocket/port-forward.js";
import type { WebSocketChannels } from "../../../../src/testing/streaming/websocket-server.js";
import { failure, serveBare, serveSessions, switching, token } from "./support.js";

/** Both channels begin with the port. */
function begin(session: WebSocketChannels, port: number): void {
  for (const channel of [0, 1]) session.send(Buffer.of(channel, port & 255, port >> 8));
}

const errorOf = async (stream: Duplex) => ((await once(stream.resume(), "error")) as [Error])[0];
const closed = (stream: Duplex) => new Promise<void>((resolve) => stream.once("close", resolve));

describe("a forwarded port", () => {
  test("carries bytes both ways until the pod closes", async () => {
    const server = await serveSessions(async (session) => {
      begin(session, 8080);
      const received = session.readable(0);
      const out = session.writable(0);
      for await (const chunk of received) {
        out.write(chunk);
        if (String(chunk).endsWith("!")) break;
      }
      await session.end();
    });
    const port = await openWebSocketPortForward(server.url, 8080);
    port.write("hello");
    await once(port, "readable");
    port.write(" world!");
    expect(await text(port)).toBe("hello world!");
    await server.drained();
  });

  test.each([
    [
      "with the data",
      [
        [0, 0x90, 0x1f, 104, 105],
        [1, 0x90, 0x1f],
      ],
    ],
    ["byte by byte", [[0, 0x90], [1, 0x90], [0], [0, 0x1f], [1, 0x1f], [0, 104], [0, 105]]],
    [
      "between empty messages and unknown channels",
      [[], [0], [1], [2, 0, 0], [0, 0x90, 0x1f], [7], [1, 0x90, 0x1f], [0, 104, 105]],
    ],
  ])("strips the port from the start: %s", async (_, messages) => {
    const server = await serveSessions(async (session) => {
      for (const message of messages) session.send(Buffer.from(message));
      await session.end();
    });
    expect(await text(await openWebSocketPortForward(server.url, 8080))).toBe("hi");
  });

  test("large data in both directions at once", async () => {
    const bytes = Buffer.alloc(8 << 20, "0123456789abcdef");
    const server = await serveSessions(async (session) => {
      begin(session, 1);
      let count = 0;
      const out = session.writable(0);
      for await (const chunk of session.readable(0)) {
        if (!out.write(chunk)) await once(out, "drain");
        count += chunk.length;
        if (count >= bytes.length) break;
      }
      await session.end();
    });
    const port = await openWebSocketPortForward(server.url, 1);
    port.write(bytes);
    expect((await buffer(port)).equals(bytes)).toBe(true);
    await server.drained();
  });

  test("reads the pod's answer after the client has ended", async () => {
    const server = await serveSessions(async (session) => {
      begin(session, 1);
      await once(session.readable(0), "data");
      await sleep(100);
      session.writable(0).write("answer");
      await session.end();
    });
    const port = await openWebSocketPortForward(server.url, 1);
    port.end("request");
    expect(await text(port)).toBe("answer");
    await server.drained();
  });

  test("closes the connection after five seconds without data from the pod", async () => {
    const server = await serveSessions((session) => begin(session, 1));
    const port = await openWebSocketPortForward(server.url, 1);
    const started = performance.now();
    port.end("request");
    expect(await text(port)).toBe("");
    expect(performance.now() - started).toBeGreaterThan(4_500);
    await server.drained();
  });

  test("destroying it frees the connection, with or without an error", async () => {
    const server = await serveSessions((session) => begin(session, 1));
    for (const error of [undefined, new Error("enough")]) {
      const port = await openWebSocketPortForward(server.url, 1);
      const closing = closed(port);
      port.destroy(error);
      await closing;
      expect(port.errored ?? undefined).toBe(error);
      await server.drained();
    }
  });

  test("an abort destroys it with the reason", async () => {
    const server = await serveSessions((session) => begin(session, 1));
    const controller = new AbortController();
    const port = await openWebSocketPortForward(server.url, 1, { signal: controller.signal });
    const failed = errorOf(port);
    controller.abort(new Error("enough"));
    expect((await failed).message).toBe("enough");
    await server.drained();
  });

  test("discards data written after the pod closed, and keeps its last data", async () => {
    const server = await serveSessions(async (session) => {
      begin(session, 1);
      session.writable(0).write("x".repeat(100_000));
      await session.end();
    });
    const port = await openWebSocketPortForward(server.url, 1);
    await sleep(50);
    for (let i = 0; i < 5; i++) port.write("more");
    expect((await text(port)).length).toBe(100_000);
  });
});

describe("failures", () => {
  test.each<[string, (session: WebSocketChannels) => unknown, RegExp]>([
    [
      "the pod's port is closed",
      (session) => {
        begin(session, 81);
        session.send(Buffer.from(`\u0001error forwarding port 81 to pod abc, uid : connection refused\n`));
        return session.end();
      },
      /^\[UNAVAILABLE\] error forwarding port 81 to pod abc, uid : connection refused$/,
    ],
    ["another port", (session) => begin(session, 82), /forwards port 82 instead of 81/],
    ["a cut connection", (session) => session.cut(), /the connection was cut/],
    ["a close code", (session) => session.end(undefined, 1011), /close code 1011/],
    ["text", (session) => session.send("text"), /a text message instead of a binary one/],
    [
      "a flood on the error channel",
      (session) => {
        begin(session, 81);
        session.send(Buffer.alloc(1 << 20, 1));
      },
      /^.{0,1100}$/s,
    ],
  ])("%s", async (_, part, message) => {
    const server = await serveSessions(part);
    const port = await openWebSocketPortForward(server.url, 81);
    const error = await errorOf(port);
    expect(error).toMatchObject({ code: "UNAVAILABLE" });
    expect(error.message).toMatch(message);
    expect(inspect([error, port], { depth: 12, showHidden: true })).not.toContain(token);
    await server.drained();
  });

  test("a connection that ends at once reads as empty, as for a request without a port", async () => {
    const server = await serveSessions((session) => session.end());
    expect(await text(await openWebSocketPortForward(server.url, 81))).toBe("");
  });

  test("a refused connection", async () => {
    const server = await serveSessions(() => {}, ["v2.portforward.k8s.io"]);
    expect(await failure(openWebSocketPortForward(server.url, 81))).toMatchObject({ code: "UNIMPLEMENTED" });
  });

  test("a failure without a listener does not end the process", async () => {
    const server = await serveBare((socket, head) => socket.end(switching(head)));
    const port = await openWebSocketPortForward(server.url, 81);
    await closed(port);
    expect(port.destroyed).toBe(true);
  });
});
