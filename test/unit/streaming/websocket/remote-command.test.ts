import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../../src/errors.js";
import type { RemoteCommandStreams } from "../../../../src/streaming/transport.js";
import { v4, v5 } from "../../../../src/streaming/websocket/frames.js";
import { openWebSocketRemoteCommand } from "../../../../src/streaming/websocket/remote-command.js";
import { exitCode, failure, serveSessions, token } from "./support.js";

const streams = (over: Partial<RemoteCommandStreams> = {}): RemoteCommandStreams => ({
  stdin: false,
  stdout: true,
  stderr: true,
  tty: false,
  ...over,
});

describe("a session", () => {
  test("separates the outputs, reports the exit code and leaves no connection", async () => {
    const server = await serveSessions(async (session) => {
      session.send(Buffer.of(1));
      session.writable(1).write("out");
      session.writable(2).write("err");
      session.writable(1).write("put");
      await session.end(exitCode(137));
    });
    const session = await openWebSocketRemoteCommand(server.url, streams());
    expect(session).toMatchObject({ transport: "websocket", protocol: v4, canHalfCloseStdin: false, stdin: null });
    const outputs = await Promise.all([text(session.stdout!), text(session.stderr!)]);
    expect(outputs).toEqual(["output", "err"]);
    expect(await session.status).toEqual({ kind: "exited", exitCode: 137 });
    await server.drained();
  });

  test("sends stdin in messages of at most 64 KiB, each in one frame", async () => {
    const sizes: number[] = [];
    const bytes = Buffer.alloc(300_000, "0123456789");
    const server = await serveSessions(async (session) => {
      let received = 0;
      await new Promise<void>((resolve) => {
        session.readable(0).on("data", (chunk: Buffer) => {
          sizes.push(chunk.length);
          received += chunk.length;
          if (received >= bytes.length) resolve();
        });
      });
      await session.end({ status: "Success" });
    });
    const session = await openWebSocketRemoteCommand(server.url, streams({ stdin: true }));
    session.stdin!.write(bytes);
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
    expect(sizes.reduce((sum, size) => sum + size)).toBe(bytes.length);
    expect(Math.max(...sizes)).toBe(64 * 1024);
  });

  test("stdin fails with EPIPE after the session has ended", async () => {
    const server = await serveSessions((session) => session.end({ status: "Success" }));
    const session = await openWebSocketRemoteCommand(server.url, streams({ stdin: true }));
    const errored = once(session.stdin!, "error");
    await session.status;
    expect(await errored).toMatchObject([{ code: "EPIPE" }]);
  });

  test("ending stdin fails on v4 without sending anything, and output continues", async () => {
    const server = await serveSessions(async (session) => {
      const received = session.readable(0);
      await once(received, "data");
      await sleep(50);
      session.writable(1).write(`ended: ${received.readableEnded}`);
      await session.end({ status: "Success" });
    });
    const session = await openWebSocketRemoteCommand(server.url, streams({ stdin: true }));
    const failed = once(session.stdin!, "error");
    session.stdin!.end("x");
    expect(await failed).toMatchObject([{ code: "UNIMPLEMENTED" }]);
    expect(await text(session.stdout!)).toBe("ended: false");
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
  });

  test("sends the terminal's size, the latest one last", async () => {
    const server = await serveSessions(async (session) => {
      let seen = "";
      for await (const chunk of session.readable(4)) {
        seen += chunk;
        if (seen.includes("99")) break;
      }
      session.writable(1).write(seen);
      await session.end({ status: "Success" });
    });
    const session = await openWebSocketRemoteCommand(server.url, streams({ tty: true, stderr: false }));
    session.resize({ columns: 80, rows: 24 });
    for (let columns = 1; columns < 100; columns++) session.resize({ columns, rows: 24 });
    const seen = await text(session.stdout!);
    expect(seen.startsWith('{"Width":80,"Height":24}')).toBe(true);
    expect(seen.endsWith('{"Width":99,"Height":24}')).toBe(true);
    expect(seen.length).toBeLessThan(200);
  });

  test("sends no sizes without a terminal", async () => {
    const server = await serveSessions(async (session) => {
      const sizes = text(session.readable(4));
      await sleep(50);
      void session.end({ status: "Failure", message: "now" });
      expect(await sizes).toBe("");
    });
    const session = await openWebSocketRemoteCommand(server.url, streams());
    session.resize({ columns: 80, rows: 24 });
    expect(await session.status).toMatchObject({ message: "now" });
  });

  test("hides its token when inspected, also in its errors", async () => {
    const server = await serveSessions((session) => session.cut());
    const session = await openWebSocketRemoteCommand(server.url, streams({ stdin: true }));
    expect(inspect(session, { depth: 12, showHidden: true })).not.toContain(token);
    expect(inspect(await failure(session.status), { depth: 12, showHidden: true })).not.toContain(token);
  });
});

describe("v5 with conmon-rs", () => {
  test("an end without a status is exit code 0", async () => {
    const server = await serveSessions((session) => session.end(), [v5]);
    const session = await openWebSocketRemoteCommand(server.url, streams());
    expect(session.protocol).toBe(v5);
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
    expect(await text(session.stdout!)).toBe("");
  });

  test("an end without a status fails after stdin was ended", async () => {
    const server = await serveSessions(
      async (session) => {
        await text(session.readable(0));
        await session.end();
      },
      [v5],
    );
    const session = await openWebSocketRemoteCommand(server.url, streams({ stdin: true }));
    expect(session.canHalfCloseStdin).toBe(false);
    session.stdin!.end("x");
    expect(await failure(session.status)).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("reports a non-zero status, and a close code", async () => {
    const server = await serveSessions((session) => session.end(exitCode(3)), [v5]);
    const session = await openWebSocketRemoteCommand(server.url, streams());
    expect(await session.status).toEqual({ kind: "exited", exitCode: 3 });
    const broken = await serveSessions((session) => session.end(undefined, 1011), [v5]);
    const second = await openWebSocketRemoteCommand(broken.url, streams());
    expect((await failure(second.status)).message).toContain("close code 1011");
  });
});

describe("the caller", () => {
  test("an abort before dialling sends nothing", async () => {
    const server = await serveSessions(() => {});
    const signal = AbortSignal.abort("no");
    await expect(openWebSocketRemoteCommand(server.url, streams(), { signal })).rejects.toBe("no");
    expect(server.sockets.size).toBe(0);
  });

  test("an abort ends the session with its reason and frees the connection", async () => {
    const server = await serveSessions(() => {});
    const controller = new AbortController();
    const { signal } = controller;
    const session = await openWebSocketRemoteCommand(server.url, streams({ stdin: true }), { signal });
    const closed = new Promise((resolve) => session.stdout!.once("close", resolve));
    const errored = once(session.stdin!, "error");
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(session.status).rejects.toBe(reason);
    await closed;
    expect(await errored).toEqual([reason]);
    await server.drained();
  });

  test("destroying is final and may be repeated", async () => {
    const server = await serveSessions(() => {});
    const session = await openWebSocketRemoteCommand(server.url, streams({ stdin: true }));
    session.destroy();
    session.destroy("again");
    session.resize({ columns: 1, rows: 1 });
    const error = await failure(session.status);
    expect(CriError.is(error, "CANCELLED")).toBe(true);
    await server.drained();
  });

  test("a destroyed output does not block the others", async () => {
    const server = await serveSessions(async (session) => {
      const out = session.writable(1);
      for (let i = 0; i < 64; i++) if (!out.write(Buffer.alloc(65_536))) await once(out, "drain");
      session.writable(2).write("last");
      await session.end({ status: "Success" });
    });
    const session = await openWebSocketRemoteCommand(server.url, streams());
    session.stdout!.destroy();
    expect(await text(session.stderr!)).toBe("last");
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
  });
});
