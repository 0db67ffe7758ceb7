import type { Duplex } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../../src/errors.js";
import { openSpdyPortForward } from "../../../../src/streaming/spdy/port-forward.js";
import type { SpdyStream } from "../../../../src/streaming/spdy/stream.js";
import { eventually, readAll, rejection } from "../support.js";
import { forwardProtocol, serveHostile, serveSpdy } from "./support.js";

interface Pair {
  error: SpdyStream;
  data: SpdyStream;
  port: number;
}

/** Serves connections like the CRI servers. */
function serveForward(onPair: (pair: Pair) => void): Promise<URL> {
  const waiting = new Map<string, SpdyStream>();
  return serveSpdy(forwardProtocol, (stream) => {
    const [id = "", port, type] = ["requestid", "port", "streamtype"].map((name) => stream.headers.get(name)?.[0]);
    if (type === "error") {
      waiting.set(id, stream);
      return;
    }
    const error = waiting.get(id);
    waiting.delete(id);
    if (error) onPair({ error, data: stream, port: Number(port) });
  });
}

/** Fails a connection like containerd: the data stream ends first. */
function fail({ error, data }: Pair, text: string): void {
  data.end();
  setTimeout(() => error.end(text), 5);
}

const echo = ({ data, error }: Pair) =>
  void pipeline(data, data).then(
    () => error.end(),
    () => {},
  );

/** Reads a stream without ending its writable side. */
async function readDuplex(duplex: Duplex): Promise<Buffer> {
  const parts: Buffer[] = [];
  duplex.on("data", (part: Buffer) => parts.push(part));
  await finished(duplex, { writable: false });
  return Buffer.concat(parts);
}

describe("connections to ports", () => {
  test("carries 100 at once over one connection, each with its own content", async () => {
    const url = await serveForward((pair) => {
      pair.data.write(`${pair.port}:`);
      echo(pair);
    });
    const forward = await openSpdyPortForward(url);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const duplex = await forward.open(1_000 + index);
        duplex.end("x".repeat(index));
        return (await readAll(duplex)).toString();
      }),
    );
    expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => `${1_000 + index}:${"x".repeat(index)}`));
    forward.destroy();
    await forward.closed;
  });

  test("fails one with the server's message, and keeps the others", async () => {
    const url = await serveForward((pair) => {
      if (pair.port === 81) fail(pair, "connect: connection refused");
      else echo(pair);
    });
    const forward = await openSpdyPortForward(url);
    const good = await forward.open(80);
    for (let round = 0; round < 10; round++) {
      const error = await rejection(readDuplex(await forward.open(81)));
      expect(error).toMatchObject({
        code: "UNAVAILABLE",
        details: "no connection to port 81 of the pod: connect: connection refused",
      });
    }
    good.end("still here");
    expect((await readDuplex(good)).toString()).toBe("still here");
    forward.destroy();
  });

  test("accepts an error message that arrives first, late, in pieces or without an end", async () => {
    const url = await serveForward(async ({ error, data, port }) => {
      if (port === 1) error.end("first", () => setTimeout(() => data.destroy(), 5));
      if (port === 2) {
        data.end();
        setTimeout(() => error.end("late"), 100);
      }
      if (port === 3) {
        for (const letter of "pieces") {
          error.write(letter);
          await sleep(2);
        }
        data.destroy();
        error.destroy();
      }
      if (port === 4) error.write("endless");
    });
    const forward = await openSpdyPortForward(url);
    for (const [port, reason] of [
      [1, "first"],
      [2, "late"],
      [3, "pieces"],
      [4, "endless"],
    ] as const) {
      const error = await rejection(readDuplex(await forward.open(port)));
      expect(error).toMatchObject({ details: `no connection to port ${port} of the pod: ${reason}` });
    }
    forward.destroy();
  });

  test("ends the data soon after a server ended it without an error message", async () => {
    const url = await serveForward(({ data }) => data.end("all"));
    const forward = await openSpdyPortForward(url);
    expect((await readDuplex(await forward.open(80))).toString()).toBe("all");
    forward.destroy();
  });

  test("each direction can end on its own", async () => {
    const url = await serveForward(({ data, error }) => {
      data.write("hello");
      data.on("data", (part) => data.end(`you said ${part}`));
      data.on("end", () => error.end());
    });
    const forward = await openSpdyPortForward(url);
    const duplex = await forward.open(80);
    duplex.write("hi");
    expect((await readDuplex(duplex)).toString()).toBe("helloyou said hi");
    expect(duplex.destroyed).toBe(false);
    duplex.end();
    await eventually(() => duplex.destroyed, "the stream closes");
    forward.destroy();
  });

  test("closes the stream after reading when the pod has closed", async () => {
    const url = await serveForward(({ data, error }) => {
      data.end("bye");
      error.end();
    });
    const forward = await openSpdyPortForward(url);
    const duplex = await forward.open(80);
    expect((await readDuplex(duplex)).toString()).toBe("bye");
    await eventually(() => duplex.closed, "the stream closes");
    expect(duplex.errored).toBe(null);
    forward.destroy();
  });

  test("destroying one resets its streams on the server", async () => {
    const pairs: Pair[] = [];
    const url = await serveForward((pair) => void pairs.push(pair));
    const forward = await openSpdyPortForward(url);
    const duplex = await forward.open(80);
    duplex.destroy();
    await eventually(
      () =>
        pairs[0]?.data.readableEnded === true ||
        pairs[0]?.data.destroyed === true ||
        pairs[0]?.data.readableFlowing === null,
      "x",
    );
    await eventually(() => {
      pairs[0]?.data.resume();
      return pairs[0]?.data.closed === true;
    }, "the server's stream closes");
    forward.destroy();
  });

  test("rejects ports out of range", async () => {
    const forward = await openSpdyPortForward(await serveForward(() => {}));
    for (const port of [0, -1, 65_536, 1.5, Number.NaN]) {
      expect(await rejection(forward.open(port))).toBeInstanceOf(InvalidInputError);
    }
    forward.destroy();
  });
});

describe("the session", () => {
  test("breaks every connection and opens none after it was destroyed", async () => {
    const forward = await openSpdyPortForward(await serveForward(() => {}));
    const reading = rejection(readDuplex(await forward.open(80)));
    forward.destroy();
    await forward.closed;
    expect(await reading).toMatchObject({ code: "CANCELLED" });
    expect(await rejection(forward.open(80))).toMatchObject({ code: "CANCELLED" });
  });

  test("breaks every connection and opens none after the server has closed it", async () => {
    const url = await serveHostile(forwardProtocol, async (peer) => {
      await peer.replyTo("error", "data");
      peer.socket.destroy();
    });
    const forward = await openSpdyPortForward(url);
    const duplex = await forward.open(80);
    expect(await rejection(readDuplex(duplex))).toMatchObject({ code: "UNAVAILABLE" });
    await forward.closed;
    expect(await rejection(forward.open(80))).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("rejects opening a connection if the server closes it meanwhile", async () => {
    const url = await serveHostile(forwardProtocol, async (peer) => {
      await peer.opened("data");
      peer.socket.destroy();
    });
    expect(await rejection((await openSpdyPortForward(url)).open(80))).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("stays open if opening a connection times out", async () => {
    const url = await serveHostile(forwardProtocol, (peer) => peer.replyTo("error"));
    const forward = await openSpdyPortForward(url, { handshakeTimeoutMs: 5_000 }, 200);
    expect(await rejection(forward.open(80))).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      details: expect.stringMatching(/within 200 ms/),
    });
    let isClosed = false;
    void forward.closed.then(() => {
      isClosed = true;
    });
    await sleep(10);
    expect(isClosed).toBe(false);
    forward.destroy();
  });

  test("a signal cancels opening one connection only", async () => {
    const url = await serveHostile(forwardProtocol, (peer) => peer.replyTo("error"));
    const forward = await openSpdyPortForward(url);
    const controller = new AbortController();
    const opening = rejection(forward.open(80, { signal: controller.signal }));
    controller.abort("enough");
    expect(await opening).toBe("enough");
    expect(await rejection(forward.open(80, { signal: AbortSignal.abort("before") }))).toBe("before");
    forward.destroy();
  });
});
