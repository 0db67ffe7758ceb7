import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../../src/errors.js";
import { drainOnWriteError } from "../../../../src/streaming/drain-on-write-error.js";
import { SpdyConnection } from "../../../../src/streaming/spdy/connection.js";
import { encodeDataHead, encodeFrame } from "../../../../src/streaming/spdy/frames.js";
import { HeaderCompressor } from "../../../../src/streaming/spdy/header-compression.js";
import { encodeHeaders, maxHeaderBytes } from "../../../../src/streaming/spdy/headers.js";
import type { SpdyStream } from "../../../../src/streaming/spdy/stream.js";
import { eventually, readAll, rejection, socketPair } from "../support.js";
import { connectedPair, HostilePeer } from "./support.js";

/** Connects a client to a peer that sends only the frames of the test. */
async function hostilePair() {
  const { client, peer } = await socketPair();
  return { connection: new SpdyConnection(client), peer: new HostilePeer(peer) };
}

/** Opens a stream that the malicious peer accepts. */
async function acceptedStream() {
  const { connection, peer } = await hostilePair();
  const stream = connection.open({ streamType: "data" });
  await peer.replyTo("data");
  await stream.accepted;
  return { connection, peer, stream, id: stream.streamId };
}

/** Frames that both sides ignore. */
const settings = "8003 0004 01 000014 00000002 01000004 00000064 00000007 00010000";
const windowUpdate = "8003 0009 00 000008 00000001 00010000";

const lastPing = ({ frames }: HostilePeer) =>
  frames.flatMap((frame) => (frame.type === "ping" ? [frame.id] : [])).at(-1);

const echo = (stream: SpdyStream) => void pipeline(stream, stream).catch(() => {});

describe("streams", () => {
  test("carries 100 at once, each with its own headers and content", async () => {
    const { client } = await connectedPair((stream) => {
      stream.write(`${stream.headers.get("name")?.[0]}:`);
      echo(stream);
    });
    const answers = Array.from({ length: 100 }, async (_, index) => {
      const stream = client.open({ name: `stream ${index}`, padding: "x".repeat(index * 10) });
      stream.end(`content ${index}`);
      await stream.accepted;
      return (await readAll(stream)).toString();
    });
    expect(await Promise.all(answers)).toEqual(answers.map((_, index) => `stream ${index}:content ${index}`));
    client.destroy(new Error("done"));
  });

  test("keeps one direction open when the other ends", async () => {
    const { client } = await connectedPair((stream) => {
      let length = 0;
      stream.on("data", (part: Buffer) => {
        length += part.length;
      });
      stream.on("end", () => setTimeout(() => stream.end(`${length} bytes`), 20));
    });
    const stream = client.open({});
    await pipeline([Buffer.alloc(1_000_000), Buffer.alloc(7)], stream as NodeJS.WritableStream);
    expect((await readAll(stream)).toString()).toBe("1000007 bytes");
    await eventually(() => stream.closed, "the stream closes");
  });

  test("puts many small writes into shared frames, in order", async () => {
    const { connection, peer, stream } = await acceptedStream();
    for (let index = 0; index < 1_000; index++) stream.write(`${index},`);
    stream.end();
    await eventually(() => peer.data.at(-1)?.fin === true, "FIN arrives");
    const text = Buffer.concat(peer.data.map(({ bytes }) => bytes)).toString();
    expect(text).toBe(Array.from({ length: 1_000 }, (_, index) => `${index},`).join(""));
    expect(peer.data.length).toBeLessThan(100);
    connection.destroy(new Error("done"));
  });

  test("lets other streams write during a long write", async () => {
    const { client } = await connectedPair((stream) => void stream.resume());
    const [long, short] = [client.open({}), client.open({})];
    const order: string[] = [];
    await Promise.all([
      new Promise<void>((resolve) => long.write(Buffer.alloc(50_000_000), () => resolve())).then(() =>
        order.push("long"),
      ),
      new Promise<void>((resolve) => short.write("x", () => resolve())).then(() => order.push("short")),
    ]);
    expect(order).toEqual(["short", "long"]);
    client.destroy(new Error("done"));
  });

  test("resets a destroyed stream and leaves the others open", async () => {
    const opened: SpdyStream[] = [];
    const { client } = await connectedPair((stream) => {
      opened.push(stream);
      echo(stream);
    });
    const [one, two] = [client.open({}), client.open({})];
    await Promise.all([one.accepted, two.accepted]);
    one.destroy();
    two.end("still here");
    expect((await readAll(two)).toString()).toBe("still here");
    await eventually(() => opened[0]?.destroyed === true, "the peer receives RST");
    client.destroy(new Error("done"));
  });
});

describe("RST_STREAM", () => {
  test("lets earlier data be read, then ends the stream without an error", async () => {
    const { peer, stream, id } = await acceptedStream();
    peer.write(id, "all ");
    peer.write(id, "of it");
    peer.reset(id);
    await sleep(20);
    expect((await readAll(stream)).toString()).toBe("all of it");
    await eventually(() => stream.closed, "the stream closes");
    expect(stream.errored).toBeNull();
  });

  test("discards data written before the rest is read, and loses no received data", async () => {
    const { peer, stream, id } = await acceptedStream();
    peer.write(id, "answer");
    peer.reset(id);
    await eventually(() => stream.readableLength === 6, "the answer arrives");
    await sleep(20);
    await new Promise<void>((resolve, reject) => stream.write("late", (error) => (error ? reject(error) : resolve())));
    expect((await readAll(stream)).toString()).toBe("answer");
  });

  test("makes writing fail with EPIPE when nothing is left to read", async () => {
    const { peer, stream, id } = await acceptedStream();
    peer.reset(id);
    await sleep(20);
    const error = await new Promise((resolve) => stream.write("late", resolve));
    expect(error).toMatchObject({ code: "EPIPE" });
  });

  test.each([1, 3, 6, 7, 99])("with status %i breaks the stream", async (status) => {
    const { connection, peer, stream, id } = await acceptedStream();
    peer.reset(id, status);
    expect(await rejection(readAll(stream))).toMatchObject({ code: "UNAVAILABLE" });
    expect(connection.isOver).toBe(false);
  });

  test("instead of a reply rejects the stream", async () => {
    const { connection, peer } = await hostilePair();
    const stream = connection.open({ streamType: "data" });
    await peer.opened("data");
    peer.reset(stream.streamId, 3);
    expect(await rejection(stream.accepted)).toMatchObject({
      code: "UNAVAILABLE",
      details: /refused a stream \(refusedStream\)/,
    });
  });

  test("sent twice, or followed by data, is ignored", async () => {
    const { connection, peer, stream, id } = await acceptedStream();
    peer.reset(id);
    peer.reset(id);
    peer.write(id, "late");
    peer.raw(windowUpdate);
    peer.frame({ type: "ping", id: 2 });
    await eventually(() => peer.frames.some(({ type }) => type === "ping"), "the connection goes on");
    expect((await readAll(stream)).length).toBe(0);
    expect(connection.isOver).toBe(false);
  });
});

describe("the connection", () => {
  test("answers pings and ignores SETTINGS and unknown frames", async () => {
    const { connection, peer } = await hostilePair();
    peer.raw(settings);
    peer.raw(windowUpdate);
    peer.frame({ type: "ping", id: 7 });
    peer.frame({ type: "ping", id: 2 });
    await eventually(() => peer.frames.length > 0, "the answer");
    expect(peer.frames).toEqual([{ type: "ping", id: 2 }]);
    connection.destroy(new Error("done"));
  });

  test("sends pings with odd numbers until it ends", async () => {
    const { client, peer } = await socketPair();
    const connection = new SpdyConnection(client, { pingIntervalMs: 10 });
    const hostile = new HostilePeer(peer);
    for (const id of [1, 3, 5]) {
      await eventually(() => hostile.frames.at(-1)?.type === "ping" && lastPing(hostile) === id, `ping ${id}`);
      hostile.frame({ type: "ping", id });
    }
    connection.destroy(new Error("done"));
  });

  test.each([true, false])("breaks when a ping is not answered (has a command: %s)", async (hasCommand) => {
    const { client, peer } = await socketPair();
    const connection = new SpdyConnection(client, { pingIntervalMs: 20, hasCommand });
    const stream = connection.open({ streamType: "data" });
    new HostilePeer(peer);
    expect(await rejection(stream.accepted)).toMatchObject({ code: "UNAVAILABLE" });
    const details = expect.stringMatching(
      hasCommand ? / within 20 ms;.*the command may still/ : / within 20 ms;.*down$/,
    );
    expect(connection.failure).toMatchObject({ code: "UNAVAILABLE", details });
  });

  test("limits unread answers to pings", async () => {
    const { connection, peer } = await hostilePair();
    peer.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 10_000 }, () => encodeFrame({ type: "ping", id: 2 })));
    while (!connection.isOver) {
      peer.socket.write(pings);
      await sleep(1);
    }
    expect(connection.failure).toMatchObject({ code: "INTERNAL" });
  });

  test("GOAWAY keeps accepted streams and rejects pending and new ones", async () => {
    const { connection, peer, stream, id } = await acceptedStream();
    const second = connection.open({ streamType: "second" });
    await peer.opened("second");
    peer.frame({ type: "goAway", lastGoodStreamId: 0, status: 0 });
    expect(await rejection(second.accepted)).toMatchObject({ code: "UNAVAILABLE" });
    expect(() => connection.open({})).toThrow(CriError);
    peer.write(id, "still", true);
    expect((await readAll(stream)).toString()).toBe("still");
  });

  test("its loss breaks every pending stream", async () => {
    const { connection, peer, stream } = await acceptedStream();
    const pending = connection.open({ streamType: "second" });
    await peer.opened("second");
    const reading = rejection(readAll(stream));
    peer.socket.destroy();
    expect(await reading).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
    expect(await rejection(pending.accepted)).toMatchObject({ code: "UNAVAILABLE" });
    await connection.closed;
    expect(() => connection.open({})).toThrow("closed the connection");
  });

  test("its loss keeps ended read-only streams readable; destroying it does not", async () => {
    for (const [leave, outcome] of [
      [({ peer }) => peer.socket.destroy(), "all of it"],
      [({ peer }) => peer.raw("ffffffffffffffffffff"), "all of it"],
      [({ connection }) => connection.destroy(new Error("enough")), "Error: enough"],
    ] as [(pair: Awaited<ReturnType<typeof hostilePair>>) => void, string][]) {
      const pair = await hostilePair();
      const stream = pair.connection.open({ streamType: "stdout" }, { writable: false });
      await pair.peer.replyTo("stdout");
      pair.peer.write(stream.streamId, "all of it", true);
      await eventually(() => stream.readableLength === 9, "it arrives");
      leave(pair);
      await pair.connection.closed;
      expect(String(await readAll(stream).catch((error: unknown) => error))).toBe(outcome);
    }
  });

  test("destroying it breaks every stream with the reason, without unhandled errors", async () => {
    const { connection, stream } = await acceptedStream();
    const reason = new Error("enough");
    connection.destroy(reason);
    await connection.closed;
    expect(stream.errored).toBe(reason);
    expect(connection.failure).toBe(reason);
  });
});

describe("a peer that violates the protocol", () => {
  test.each<[string, (peer: HostilePeer, id: number) => void]>([
    ["garbage", (peer) => peer.raw("80ff 0101 deadbeef")],
    ["plain HTTP", (peer) => peer.raw(Buffer.from("HTTP/1.1 200 OK\r\n\r\n").fill(0x80, 0, 1))],
    ["a control frame that is too long", (peer) => peer.raw("8003 0002 00 ffffff")],
    ["data of a stream that was never opened", (peer) => peer.write(99, "x")],
    ["data of a stream of the server", (peer) => peer.write(2, "x")],
    [
      "a reply to a stream that was never opened",
      (peer) => peer.frame({ type: "synReply", streamId: 5, fin: false, headerBlock: peer.headerBlock() }),
    ],
    ["RST of a stream that was never opened", (peer) => peer.reset(77)],
    [
      "a second reply",
      (peer, id) => peer.frame({ type: "synReply", streamId: id, fin: false, headerBlock: peer.headerBlock() }),
    ],
    [
      "a stream that the peer opens",
      (peer) =>
        peer.frame({
          type: "synStream",
          streamId: 2,
          associatedStreamId: 0,
          priority: 0,
          slot: 0,
          fin: false,
          unidirectional: false,
          headerBlock: peer.headerBlock(),
        }),
    ],
    [
      "a damaged header block",
      (peer, id) => peer.frame({ type: "headers", streamId: id, fin: false, headerBlock: Buffer.from("no zlib") }),
    ],
    [
      "headers above the limit",
      (peer, id) =>
        peer.frame({
          type: "headers",
          streamId: id,
          fin: false,
          headerBlock: peer.headerBlock({ a: "a".repeat(maxHeaderBytes) }),
        }),
    ],
    [
      "20 HEADERS frames on one stream",
      (peer, streamId) => {
        for (let sent = 0; sent < 20; sent++) {
          peer.frame({ type: "headers", streamId, fin: false, headerBlock: peer.headerBlock() });
        }
      },
    ],
  ])("%s", async (_name, misbehave) => {
    const { connection, peer, stream, id } = await acceptedStream();
    const reading = rejection(readAll(stream));
    misbehave(peer, id);
    expect(await reading).toMatchObject({ code: "INTERNAL" });
    await connection.closed;
    await eventually(() => peer.socket.destroyed || peer.socket.readableEnded, "the socket is closed");
  });

  test("a second reply to an ended stream", async () => {
    const { connection, peer, stream, id: streamId } = await acceptedStream();
    peer.reset(streamId);
    expect(await readAll(stream)).toHaveLength(0);
    peer.frame({ type: "synReply", streamId, fin: false, headerBlock: peer.headerBlock() });
    await connection.closed;
    expect(connection.failure).toMatchObject({ code: "INTERNAL", details: /more replies than streams/ });
  });

  test("data before the reply to its stream", async () => {
    const { connection, peer } = await hostilePair();
    const stream = connection.open({ streamType: "data" });
    await peer.opened("data");
    peer.write(stream.streamId, "early");
    expect(await rejection(stream.accepted)).toMatchObject({ code: "INTERNAL" });
  });

  test("drops and counts data after the end of its stream, without keeping it", async () => {
    const { connection, peer, stream, id } = await acceptedStream();
    const reading = readAll(stream);
    peer.write(id, "last", true);
    for (let round = 0; round < 100; round++) peer.write(id, Buffer.alloc(100_000));
    expect((await reading).toString()).toBe("last");
    await eventually(() => stream.droppedBytes === 10_000_000, "the dropped bytes are counted");
    expect(stream.readableLength).toBe(0);
    expect(connection.isOver).toBe(false);
    connection.destroy(new Error("done"));
  });

  test("always settles on valid frames with changed bytes", { timeout: 60_000 }, async () => {
    const compressor = new HeaderCompressor();
    const reply = compressor.compress(encodeHeaders({}));
    const valid = Buffer.concat([
      encodeFrame({ type: "synReply", streamId: 1, fin: false, headerBlock: reply }),
      encodeDataHead(1, 5, false),
      Buffer.from("hello"),
      encodeFrame({ type: "ping", id: 2 }),
      encodeFrame({
        type: "headers",
        streamId: 1,
        fin: false,
        headerBlock: compressor.compress(encodeHeaders({ a: "b" })),
      }),
      encodeDataHead(1, 2, true),
      Buffer.from("!!"),
      encodeFrame({ type: "rstStream", streamId: 1, status: 5 }),
      encodeFrame({ type: "goAway", lastGoodStreamId: 1, status: 0 }),
    ]);
    const changes = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const { client, peer } = await socketPair();
        const connection = new SpdyConnection(client);
        const stream = connection.open({});
        const outcome = Promise.allSettled([stream.accepted, readAll(stream), connection.closed]);
        const bytes = Buffer.from(valid);
        for (const [at, byte] of list) bytes[at] = byte;
        peer.resume().end(bytes);
        await outcome;
        expect(CriError.is(connection.failure, "INTERNAL", "UNAVAILABLE")).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe("a flood of frames", () => {
  const count = 50_000;
  const bytes = Buffer.concat(
    Array.from({ length: count }, (_, index) => Buffer.concat([encodeDataHead(1, 1, false), Buffer.of(index & 0xff)])),
  );
  const content = Buffer.from(Array.from({ length: count }, (_, index) => index & 0xff));

  /** Returns what a reader gets of a stream during the flood. */
  async function received(
    end: (peer: HostilePeer, id: number) => void,
    read: (stream: SpdyStream) => Promise<Buffer>,
  ): Promise<Buffer> {
    const { client, peer: socket } = await socketPair();
    drainOnWriteError(client);
    const [connection, peer] = [new SpdyConnection(client), new HostilePeer(socket)];
    const stream = connection.open({ streamType: "stdout" }, { writable: false });
    await peer.replyTo("stdout");
    await stream.accepted;
    const reading = read(stream);
    await new Promise((resolve) => peer.socket.write(bytes, resolve));
    end(peer, stream.streamId);
    const result = await reading;
    connection.destroy(new Error("done"));
    return result;
  }

  test("arrives completely and in order", async () => {
    const output = await received((peer, id) => peer.write(id, "", true), readAll);
    expect(output.equals(content)).toBe(true);
  });

  test("arrives completely at a slow reader", async () => {
    const output = await received(
      (peer, id) => peer.write(id, "", true),
      async (stream) => {
        const parts: Buffer[] = [];
        for await (const part of stream) {
          parts.push(part as Buffer);
          // A part is all buffered data, or a single frame on Node.js 26.
          if (parts.length % 200 === 1) await sleep(1);
        }
        return Buffer.concat(parts);
      },
    );
    expect(output.equals(content)).toBe(true);
  });

  test("arrives completely before the end of the connection", async () => {
    const output = await received((peer, id) => {
      peer.write(id, "", true);
      peer.socket.end();
    }, readAll);
    expect(output.equals(content)).toBe(true);
  });
});

describe("backpressure", () => {
  const mebibyte = 1 << 20;
  // Both ends run in this process, and uncollected garbage counts, too.
  const used = () => process.memoryUsage().arrayBuffers;

  test("uses little memory for a slow reader of 100 MiB, which gets every byte", { timeout: 60_000 }, async () => {
    const { client } = await connectedPair(async (stream) => {
      const chunk = Buffer.alloc(mebibyte, "x");
      for (let count = 0; count < 100; count++) {
        if (!stream.write(chunk)) await new Promise((resolve) => stream.once("drain", resolve));
      }
      stream.end();
    });
    const stream = client.open({});
    const before = used();
    await sleep(200);
    expect(stream.readableLength).toBeGreaterThan(0);
    // The sender keeps the unread data.
    expect(stream.readableLength).toBeLessThan(mebibyte);
    let [total, most] = [0, 0];
    for await (const part of stream) {
      total += (part as Buffer).length;
      most = Math.max(most, stream.readableLength, used() - before);
      if (total % 50 === 0) await sleep(1);
    }
    expect(total).toBe(100 * mebibyte);
    // This includes garbage, of which Node.js 26 leaves more.
    expect(most).toBeLessThan(80 * mebibyte);
    client.destroy(new Error("done"));
  });

  test("a full stream blocks the others until it is read or destroyed", async () => {
    const { client } = await connectedPair((stream) => {
      const size = Number(stream.headers.get("size")?.[0]);
      stream.end(Buffer.alloc(size));
    });
    const full = client.open({ size: String(4 * mebibyte) });
    await eventually(() => client.isReadPaused, "reading is paused");
    const other = client.open({ size: "10" });
    const outcome = readAll(other).then(({ length }) => length);
    expect(await Promise.race([outcome, sleep(50)])).toBeUndefined();
    full.destroy();
    expect(await outcome).toBe(10);
    client.destroy(new Error("done"));
  });

  test("makes writers wait for a peer that does not read", async () => {
    const { connection, peer, stream } = await acceptedStream();
    peer.socket.pause();
    let written = 0;
    const timer = setInterval(() => {
      while (stream.writableLength < stream.writableHighWaterMark && written < 200 * mebibyte) {
        stream.write(Buffer.alloc(65_536));
        written += 65_536;
      }
    }, 1);
    await sleep(300);
    clearInterval(timer);
    // The kernel's own buffers account for most of it.
    expect(written).toBeLessThan(32 * mebibyte);
    connection.destroy(new Error("done"));
    await eventually(() => stream.closed, "the stream closes");
  });
});
