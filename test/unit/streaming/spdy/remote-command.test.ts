import { finished, pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../../src/errors.js";
import { encodeDataHead, encodeFrame } from "../../../../src/streaming/spdy/frames.js";
import { openSpdyRemoteCommand } from "../../../../src/streaming/spdy/remote-command.js";
import type { SpdyStream } from "../../../../src/streaming/spdy/stream.js";
import { withResolvers } from "../../../../src/streaming/spdy/with-resolvers.js";
import type { DialOptions, RemoteCommand } from "../../../../src/streaming/transport.js";
import { eventually, readAll, rejection, serve, token } from "../support.js";
import { execProtocol, type HostilePeer, serveHostile, serveSpdy, switching } from "./support.js";

const outputs = { stdin: false, stdout: true, stderr: true, tty: false };
const all = { ...outputs, stdin: true };
const success = JSON.stringify({ metadata: {}, status: "Success" });
const failure = (exitCode: number) =>
  JSON.stringify({
    status: "Failure",
    reason: "NonZeroExitCode",
    message: `command terminated with exit code ${exitCode}`,
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  });

type Streams = Record<string, SpdyStream>;

/** Serves a command like the CRI servers: it starts when its streams are open, and ends with its status and RST. */
function serveCommand(types: readonly string[], command: (streams: Streams) => Promise<string>): Promise<URL> {
  const streams: Streams = {};
  return serveSpdy(execProtocol, async (stream, connection) => {
    streams[stream.headers.get("streamtype")?.[0] ?? ""] = stream;
    if (Object.keys(streams).length < types.length) return;
    const status = await command({ ...streams });
    streams.error?.write(status, () => connection.shutDown());
  });
}

async function collect(command: RemoteCommand) {
  const [stdout, stderr, status] = await Promise.all([
    readAll(command.stdout),
    readAll(command.stderr),
    command.status,
  ]);
  return { stdout: stdout.toString(), stderr: stderr.toString(), status };
}

describe("a session", () => {
  test("separates the outputs and reports the exit code", async () => {
    const url = await serveCommand(["error", "stdout", "stderr"], async ({ stdout, stderr }) => {
      stdout?.write("out");
      stderr?.write("err");
      return failure(7);
    });
    const command = await openSpdyRemoteCommand(url, outputs);
    expect(command).toMatchObject({ transport: "spdy", protocol: execProtocol, canHalfCloseStdin: true, stdin: null });
    expect(await collect(command)).toEqual({ stdout: "out", stderr: "err", status: { kind: "exited", exitCode: 7 } });
  });

  test("drops and counts output after the end of its stream, and reports the exit code", async () => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error", "stdout", "resize");
      peer.write(peer.id("stdout"), "first", true);
      peer.write(peer.id("stdout"), "late");
      peer.write(peer.id("error"), failure(3), true);
    });
    const command = await openSpdyRemoteCommand(url, { stdin: false, stdout: true, stderr: false, tty: true });
    expect(await collect(command)).toMatchObject({ stdout: "first", status: { kind: "exited", exitCode: 3 } });
    expect(command.droppedBytes).toBe(4);
    expect(command.shortOutput).toBe("first");
  });

  test("reads output after stdin has ended", async () => {
    const url = await serveCommand(["error", "stdin", "stdout", "stderr"], async ({ stdin, stdout }) => {
      let length = 0;
      stdin?.on("data", (part: Buffer) => {
        length += part.length;
      });
      await new Promise((resolve) => stdin?.on("end", resolve));
      await sleep(20);
      stdout?.write(`${length}`);
      return success;
    });
    const command = await openSpdyRemoteCommand(url, all);
    await pipeline([Buffer.alloc(3_000_000)], command.stdin as NodeJS.WritableStream);
    expect(await collect(command)).toEqual({ stdout: "3000000", stderr: "", status: { kind: "exited", exitCode: 0 } });
  });

  test("with a terminal, sends sizes and has no stderr", async () => {
    const sizes: string[] = [];
    const url = await serveCommand(["error", "stdin", "stdout", "resize"], async ({ stdin, resize }) => {
      resize?.on("data", (part: Buffer) => sizes.push(part.toString()));
      await new Promise((resolve) => stdin?.once("data", resolve));
      return success;
    });
    const command = await openSpdyRemoteCommand(url, { stdin: true, stdout: true, stderr: true, tty: true });
    expect(command.stderr).toBeNull();
    command.resize({ columns: 80, rows: 24 });
    for (const columns of [0, -1, 65_536, 1.5, Number.NaN]) command.resize({ columns, rows: 24 });
    await eventually(() => sizes.length > 0, "the first size arrives");
    for (let columns = 81; columns <= 1_000; columns++) command.resize({ columns, rows: 24 });
    await eventually(() => sizes.join("").includes('"Width":1000'), "the last size arrives");
    expect(sizes.join("").startsWith('{"Width":80,"Height":24}')).toBe(true);
    expect(sizes.join("").length).toBeLessThan(10_000);
    command.stdin?.write("exit\n");
    expect((await collect(command)).status).toEqual({ kind: "exited", exitCode: 0 });
    command.resize({ columns: 1, rows: 1 });
  });

  test("opens its streams in order and half-closes the error stream", async () => {
    const seen: unknown[] = [];
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error", "stdin", "stdout", "resize");
      await sleep(10);
      seen.push(
        [...peer.streams],
        peer.data.map(({ streamId, bytes, fin }) => [streamId, bytes.length, fin]),
      );
      peer.write(peer.id("error"), success);
      peer.socket.end();
    });
    await (await openSpdyRemoteCommand(url, { ...all, tty: true })).status;
    expect(seen).toEqual([
      [
        ["error", 1],
        ["stdin", 3],
        ["stdout", 5],
        ["resize", 7],
      ],
      [[1, 0, true]],
    ]);
  });

  test("reports the status of a command that never reads its input, and fails the rest of the input", async () => {
    const url = await serveCommand(["error", "stdin", "stdout", "stderr"], async () => failure(9));
    const command = await openSpdyRemoteCommand(url, all);
    const writing = rejection(pipeline([Buffer.alloc(50_000_000)], command.stdin as NodeJS.WritableStream));
    expect((await collect(command)).status).toEqual({ kind: "exited", exitCode: 9 });
    expect(await writing).toMatchObject({ code: "EPIPE" });
    const late = await new Promise((resolve) => command.stdin?.write("late", resolve));
    expect(late).toBeInstanceOf(Error);
  });

  test("reports the status of a server that closes without reading all input", { timeout: 60_000 }, async () => {
    for (let round = 0; round < 20; round++) {
      const url = await serveHostile(execProtocol, async (peer) => {
        await peer.replyTo("error", "stdin", "stdout", "stderr");
        peer.socket.pause();
        await sleep(20);
        peer.write(peer.id("stdout"), "last words");
        peer.write(peer.id("error"), failure(3));
        peer.socket.write("", () => peer.socket.resetAndDestroy());
      });
      const command = await openSpdyRemoteCommand(url, all);
      const timer = setInterval(() => {
        for (let count = 0; count < 20 && command.stdin?.writable; count++) command.stdin.write(Buffer.alloc(100_000));
      }, 0);
      const result = await collect(command).finally(() => clearInterval(timer));
      expect(result).toEqual({ stdout: "last words", stderr: "", status: { kind: "exited", exitCode: 3 } });
    }
  });

  test("drops a destroyed output without stopping the command", async () => {
    const url = await serveCommand(["error", "stdout", "stderr"], async ({ stdout }) => {
      for (let count = 0; count < 100; count++)
        await new Promise((resolve) => stdout?.write(Buffer.alloc(100_000), resolve));
      return failure(4);
    });
    const command = await openSpdyRemoteCommand(url, outputs);
    command.stdout?.once("data", () => command.stdout?.destroy());
    command.stderr?.resume();
    expect(await command.status).toEqual({ kind: "exited", exitCode: 4 });
  });

  test("lets output be read after the status arrived", async () => {
    const url = await serveCommand(["error", "stdout", "stderr"], async ({ stdout }) => {
      await new Promise((resolve) => stdout?.write(Buffer.alloc(100_000), resolve));
      return success;
    });
    const command = await openSpdyRemoteCommand(url, outputs);
    await command.status;
    await sleep(50);
    expect((await readAll(command.stdout)).length).toBe(100_000);
  });

  test("reports a failure to run the command", async () => {
    const url = await serveCommand(["error", "stdout", "stderr"], async () =>
      JSON.stringify({ status: "Failure", reason: "InternalError", message: "no such file", code: 500 }),
    );
    const { status } = await collect(await openSpdyRemoteCommand(url, outputs));
    expect(status).toEqual({ kind: "failed", reason: "InternalError", message: "no such file" });
  });
});

/** Encodes all frames of a session. */
function wholeSession(peer: HostilePeer): Buffer {
  const [error, stdout, stderr] = [1, 3, 5];
  const data = (streamId: number, text: string) =>
    Buffer.concat([encodeDataHead(streamId, text.length, false), Buffer.from(text)]);
  return Buffer.concat([
    ...[error, stdout, stderr].map((streamId) =>
      encodeFrame({ type: "synReply", streamId, fin: false, headerBlock: peer.headerBlock() }),
    ),
    data(stdout, "out"),
    data(stderr, "err"),
    data(error, failure(5)),
    ...[error, stderr, stdout].map((streamId) => encodeFrame({ type: "rstStream", streamId, status: 5 })),
    encodeFrame({ type: "goAway", lastGoodStreamId: 5, status: 0 }),
  ]);
}

describe("servers", () => {
  test("that send a session byte by byte", async () => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.opened("stderr");
      for (const byte of wholeSession(peer)) {
        peer.raw(Buffer.from([byte]));
        await sleep(0);
      }
      peer.socket.end();
    });
    const result = await collect(await openSpdyRemoteCommand(url, outputs));
    expect(result).toEqual({ stdout: "out", stderr: "err", status: { kind: "exited", exitCode: 5 } });
  });

  test("that send a session at once and close the connection", async () => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.opened("stderr");
      peer.socket.end(wholeSession(peer));
    });
    const result = await collect(await openSpdyRemoteCommand(url, outputs));
    expect(result).toEqual({ stdout: "out", stderr: "err", status: { kind: "exited", exitCode: 5 } });
  });

  const endings = ["FIN and RST", "FIN", "RST", "neither"];
  const disconnects = ["close the connection", "reset the connection"];

  test.each(disconnects.flatMap((disconnect) => endings.map((ending) => [ending, disconnect])))(
    "that end an output by %s, send the status and %s, with a slow reader",
    async (ending, disconnect) => {
      const { promise: disconnected, resolve: onDisconnected } = withResolvers<void>();
      const url = await serveHostile(execProtocol, async (peer) => {
        await peer.replyTo("error", "stdout", "stderr");
        // Enough output to pause reading.
        peer.write(peer.id("stdout"), Buffer.alloc(140_000));
        await sleep(50);
        // Little enough for the socket to buffer it together with its end. The reader then receives all of it in the same tick.
        peer.write(peer.id("stdout"), "the rest", ending.startsWith("FIN"));
        peer.write(peer.id("error"), failure(5));
        if (ending.endsWith("RST")) for (const type of ["error", "stderr", "stdout"]) peer.reset(peer.id(type));
        peer.frame({ type: "goAway", lastGoodStreamId: 5, status: 0 });
        if (disconnect === "close the connection") peer.socket.end(onDisconnected);
        else setTimeout(() => onDisconnected(void peer.socket.resetAndDestroy()), 20);
      });
      const command = await openSpdyRemoteCommand(url, outputs);
      await disconnected;
      await sleep(50);
      let received = 0;
      for await (const part of command.stdout ?? []) {
        received += (part as Buffer).length;
        await sleep(1);
      }
      expect(received).toBe(140_008);
      expect(await command.status).toEqual({ kind: "exited", exitCode: 5 });
    },
  );

  const orders = fc.shuffledSubarray(["error", "stdout", "stderr"], { minLength: 0, maxLength: 3 });

  test("that end the streams in any order, with RST, FIN or neither", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(orders, orders, fc.boolean(), async (resets, fins, goesAway) => {
        const url = await serveHostile(execProtocol, async (peer) => {
          await peer.replyTo("error", "stdout", "stderr");
          peer.write(peer.id("stdout"), "out");
          peer.write(peer.id("stderr"), "err");
          peer.write(peer.id("error"), failure(5));
          for (const type of fins) peer.write(peer.id(type), "", true);
          for (const type of resets) peer.reset(peer.id(type));
          if (goesAway) peer.frame({ type: "goAway", lastGoodStreamId: 0, status: 0 });
          peer.socket.end();
        });
        const result = await collect(await openSpdyRemoteCommand(url, outputs));
        expect(result).toEqual({ stdout: "out", stderr: "err", status: { kind: "exited", exitCode: 5 } });
      }),
      { numRuns: 30 },
    );
  });

  test("that send the status and never end the streams", { timeout: 30_000 }, async () => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error", "stdout", "stderr");
      peer.write(peer.id("error"), success);
    });
    const command = await openSpdyRemoteCommand(url, outputs);
    expect(await command.status).toEqual({ kind: "exited", exitCode: 0 });
    command.stderr?.resume();
    expect((await readAll(command.stdout)).length).toBe(0);
  });

  test("that send the status in pieces", async () => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error", "stdout", "stderr");
      for (const piece of failure(5).match(/.{1,10}/g) ?? []) {
        peer.write(peer.id("error"), piece);
        await sleep(1);
      }
      peer.socket.end();
    });
    expect((await collect(await openSpdyRemoteCommand(url, outputs))).status).toEqual({ kind: "exited", exitCode: 5 });
  });

  test.each<[string, (peer: HostilePeer) => void]>([
    ["then close the connection", () => {}],
    ["end the error stream, then close the connection", (peer) => peer.write(peer.id("error"), "", true)],
    [
      "send GOAWAY, then close the connection",
      (peer) => peer.frame({ type: "goAway", lastGoodStreamId: 5, status: 0 }),
    ],
    ["reset the error stream, then close the connection", (peer) => peer.reset(peer.id("error"))],
    ["reset every stream, then close the connection", (peer) => void [1, 3, 5].map((id) => peer.reset(id))],
  ])("that send output and %s, without a status", async (_name, leave) => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error", "stdout", "stderr");
      peer.write(peer.id("stdout"), "out");
      leave(peer);
      peer.socket.end();
    });
    const command = await openSpdyRemoteCommand(url, outputs);
    const error = await rejection(command.status);
    expect(error).toMatchObject({
      code: "UNAVAILABLE",
      details: "the session ended before its status arrived",
      mayHaveTakenEffect: true,
    });
    for (const stream of [command.stdout, command.stderr]) {
      if (stream && !stream.readableEnded) await finished(stream.resume(), { writable: false }).catch(() => {});
    }
  });

  test("that send plain text as the status", async () => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error", "stdout", "stderr");
      peer.write(peer.id("error"), "container is gone");
      peer.socket.end();
    });
    const command = await openSpdyRemoteCommand(url, outputs);
    expect(await command.status).toMatchObject({ kind: "failed", message: "container is gone" });
  });

  test("that send an endless status", async () => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error", "stdout", "stderr");
      for (let count = 0; count < 20; count++) peer.write(peer.id("error"), "x".repeat(10_000));
    });
    const error = await rejection((await openSpdyRemoteCommand(url, outputs)).status);
    expect(error).toMatchObject({ code: "INTERNAL" });
  });

  test("that send garbage during the session", async () => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error", "stdout", "stderr");
      peer.write(peer.id("stdout"), "out");
      peer.raw("ffffffffffffffffffffffff");
    });
    const command = await openSpdyRemoteCommand(url, outputs);
    const error = await rejection(command.status);
    expect(error).toMatchObject({ code: "INTERNAL", details: /violated the SPDY\/3\.1 protocol/ });
    await eventually(() => command.stdout?.errored === error, "outputs break with the same error");
  });

  test("that do not reply to all streams", async () => {
    const url = await serveHostile(execProtocol, (peer) => peer.replyTo("error", "stdout"));
    const error = await rejection(openSpdyRemoteCommand(url, outputs, { handshakeTimeoutMs: 100 }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  test.each<[string, (peer: HostilePeer) => void]>([
    ["close the connection", (peer) => peer.socket.end()],
    ["reset the connection", (peer) => peer.socket.resetAndDestroy()],
    ["refuse a stream", (peer) => peer.reset(peer.id("stdout"), 3)],
    ["send GOAWAY", (peer) => peer.frame({ type: "goAway", lastGoodStreamId: 1, status: 0 })],
    ["send garbage", (peer) => peer.raw("c0ffee".repeat(20))],
  ])("that %s instead of a reply", async (_name, leave) => {
    const url = await serveHostile(execProtocol, async (peer) => {
      await peer.replyTo("error");
      await peer.opened("stderr");
      leave(peer);
    });
    const error = await rejection(openSpdyRemoteCommand(url, outputs));
    expect(CriError.is(error, "UNAVAILABLE", "INTERNAL")).toBe(true);
    expect(inspect(error, { depth: 10 })).not.toContain(token);
  });

  test("that close the connection right after the upgrade", async () => {
    const url = await serve((_request, socket) => void socket.resume().end(switching(execProtocol)));
    expect(await rejection(openSpdyRemoteCommand(url, outputs))).toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("ending a session from the client", () => {
  const open = async (options?: DialOptions) => {
    const url = await serveHostile(execProtocol, (peer) => peer.replyTo("error", "stdin", "stdout", "stderr"));
    return openSpdyRemoteCommand(url, all, options);
  };

  test("destroy without a reason", async () => {
    const command = await open();
    const reading = rejection(readAll(command.stdout));
    command.destroy();
    expect(await rejection(command.status)).toMatchObject({ code: "CANCELLED" });
    expect(await reading).toMatchObject({ code: "CANCELLED" });
    await eventually(() => command.stdin?.destroyed === true, "stdin is destroyed too");
  });

  test("destroy with a reason", async () => {
    const command = await open();
    const reason = new CriError({ code: "UNAVAILABLE", message: "given up" });
    command.destroy(reason);
    expect(await rejection(command.status)).toBe(reason);
    expect(command.stdout?.errored).toBe(reason);
  });

  test("the signal", async () => {
    const controller = new AbortController();
    const command = await open({ signal: controller.signal });
    controller.abort("enough");
    expect(await rejection(command.status)).toBe("enough");
    expect(command.stdout?.errored).toMatchObject({ code: "CANCELLED", cause: "enough" });
  });

  test("an unhandled failure does not end the process", async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown) => void unhandled.push(error);
    process.on("unhandledRejection", listener).on("uncaughtException", listener);
    try {
      const command = await open();
      command.stdin?.write("text");
      command.destroy(new Error("gone"));
      command.stdin?.write("late");
      command.stdin?.end("later");
      await sleep(50);
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", listener).off("uncaughtException", listener);
    }
  });
});
