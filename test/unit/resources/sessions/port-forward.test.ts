import { once } from "node:events";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../../src/errors.js";
import { encodeFrame } from "../../../../src/streaming/spdy/frames.js";
import { eventually, rejection } from "../../streaming/support.js";
import { type Behaviour, fakePod } from "./port-forward-support.js";

const never = new Promise<never>(() => {});
const unavailable = (message: string) => new CriError({ code: "UNAVAILABLE", message });
const failFirst = (count: number) => (count === 1 ? Promise.reject(unavailable("not yet")) : undefined);

async function echoOf(stream: Duplex, data: string): Promise<string> {
  stream.write(data);
  return String((await once(stream, "data"))[0]);
}

/** Creates a gate. `reached` resolves at the first `reach()`, and all `reach()` resolve when `open()` is called. */
function closedGate() {
  let open = () => {};
  let reach = () => opened;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const reached = new Promise<void>((resolve) => {
    reach = () => {
      resolve();
      return opened;
    };
  });
  return { open, reached, reach };
}

describe("connections to the runtime", () => {
  test("connections that wait for a failed session share the next session, which ends with the last connection", async () => {
    const pod = await fakePod({ rpc: failFirst });
    const forward = pod.forward(80, { retry: false });
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => forward.connect()));
    expect(all.map(({ status }) => status)).toEqual(["rejected", ...Array(4).fill("fulfilled")]);
    expect([pod.rpcs.length, pod.sockets.size]).toEqual([2, 1]);
    for (const result of all) if (result.status === "fulfilled") result.value.destroy();
    await eventually(() => pod.sockets.size === 0, "the connection ends");
  });

  test("many connections to a runtime that always fails cause only two RPCs", async () => {
    const pod = await fakePod({ rpc: () => Promise.reject(unavailable("no")) });
    const forward = pod.forward(80, { retry: false });
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => forward.connect()));
    expect(all.every(({ status }) => status === "rejected")).toBe(true);
    expect(pod.rpcs.length).toBe(2);
  });

  test("keeps the streams of a session that accepts no new ones, and ends the session with the last stream", async () => {
    const pod = await fakePod();
    const forward = pod.forward();
    const old = await forward.connect();
    for (const socket of pod.sockets) socket.write(encodeFrame({ type: "goAway", lastGoodStreamId: 99, status: 0 }));
    expect(await echoOf(old, "hello")).toBe("hello");
    const next = await forward.connect();
    expect([pod.rpcs.length, pod.sockets.size]).toEqual([2, 2]);
    expect(await echoOf(old, "still here")).toBe("still here");
    for (const stream of [old, next]) stream.destroy();
    await eventually(() => pod.sockets.size === 0, "both connections end");
  });

  test("shares a SPDY session, and ends it, even if WebSocket was used before", async () => {
    const behaviour: Behaviour = { spdy: false };
    const pod = await fakePod(behaviour);
    const forward = pod.forward();
    (await forward.connect()).destroy();
    Object.assign(behaviour, { spdy: true, webSocket: false });
    const streams = [await forward.connect(), await forward.connect()];
    expect(pod.sockets.size).toBe(1);
    for (const stream of streams) stream.destroy();
    await eventually(() => pod.sockets.size === 0, "the connection ends");
  });

  test("opens a WebSocket session for each port, with one RPC that names only this port", async () => {
    for (const transport of [undefined, "websocket"] as const) {
      const pod = await fakePod({ spdy: false });
      const forward = pod.forward([80, 81], { transport });
      const streams: Duplex[] = [];
      for (const port of [80, 81]) streams.push(await forward.connect(port));
      expect(await Promise.all(streams.map(async (stream) => String((await once(stream, "data"))[0])))).toEqual([
        "80:",
        "81:",
      ]);
      expect(pod.rpcs.slice(-2)).toEqual([[80], [81]]);
      expect(pod.sockets.size).toBe(2);
      for (const stream of streams) stream.destroy();
      await eventually(() => pod.sockets.size === 0, "the connections end");
    }
  });

  test("many concurrent connections fall back to WebSocket", async () => {
    const pod = await fakePod({ spdy: false });
    const forward = pod.forward([80, 81]);
    const streams = await Promise.all([80, 81, 80, 81].map((port) => forward.connect(port)));
    expect(pod.sockets.size).toBe(4);
    for (const stream of streams) stream.destroy();
    await eventually(() => pod.sockets.size === 0, "the connections end");
  });
});

describe("timeouts", () => {
  test("the time limit of the first session does not limit later streams", async () => {
    const pod = await fakePod({ rpc: () => sleep(250) });
    const forward = pod.forward(80, { timeoutMs: 300 });
    await forward.connect();
    for (const socket of pod.sockets) socket.pause();
    setTimeout(() => {
      for (const socket of pod.sockets) socket.resume();
    }, 150);
    await forward.connect();
  });

  test("replaces a session that stops responding, even while a listener keeps it open", async () => {
    const pod = await fakePod();
    const forward = pod.forward(80, { handshakeTimeoutMs: 200 });
    await forward.listen();
    const old = await forward.connect();
    const [stuck] = pod.sockets;
    stuck?.pause();
    expect(await rejection(forward.connect())).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(await echoOf(await forward.connect(), "hello")).toBe("hello");
    stuck?.resume();
    expect(await echoOf(old, "late")).toBe("late");
    old.destroy();
    await eventually(() => pod.sockets.size === 1, "the old connection ends with its last stream");
  });
});

describe("signals", () => {
  test.each(["spdy", "websocket"] as const)(
    "%s: the signal of a connection cancels waiting for a session",
    async (transport) => {
      const gate = closedGate();
      const pod = await fakePod({ beforeUpgrade: () => gate.reach() });
      const forward = pod.forward(80, { transport });
      const waiting = forward.connect(80, { signal: AbortSignal.timeout(50) });
      await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
      gate.open();
      await eventually(() => pod.sockets.size === 0, "the unused session ends");
    },
  );

  test("opening the session continues for other connections", async () => {
    const gate = closedGate();
    const pod = await fakePod({ beforeUpgrade: () => gate.reach() });
    const forward = pod.forward();
    const first = rejection(forward.connect(80, { signal: AbortSignal.timeout(20) }));
    const second = forward.connect();
    const third = rejection(forward.connect(80, { signal: AbortSignal.timeout(40) }));
    await Promise.all([first, third]);
    gate.open();
    expect(await echoOf(await second, "hello")).toBe("hello");
    expect(pod.rpcs.length).toBe(1);
  });

  test("the signal of the port-forward and closing the client end open and pending connections", async () => {
    for (const how of ["signal", "client"]) {
      const behaviour: Behaviour = {};
      const pod = await fakePod(behaviour);
      const controller = new AbortController();
      const stream = await pod.forward(80, { signal: controller.signal }).connect();
      behaviour.rpc = () => never;
      const waiting = rejection(pod.forward(80, { signal: controller.signal }).connect());
      const broken = once(stream.resume(), "error");
      const reason = new Error("enough");
      if (how === "signal") controller.abort(reason);
      else pod.closeClient(reason);
      expect(await waiting).toBe(reason);
      expect(await broken).toEqual([reason]);
    }
  });
});

describe("close", () => {
  test.each(["spdy", "websocket"] as const)("%s: cancels a connection that is being opened", async (transport) => {
    for (const step of ["rpc", "beforeUpgrade"]) {
      const gate = closedGate();
      const pod = await fakePod({ [step]: () => gate.reach() });
      const forward = pod.forward(80, { transport });
      const waiting = rejection(forward.connect());
      await gate.reached;
      await forward.close();
      expect(await waiting).toMatchObject({ code: "CLIENT_CLOSED" });
      gate.open();
      await sleep(50);
      await eventually(() => pod.sockets.size === 0, "no connection is left");
    }
  });

  test("closes all connections and refuses new ones, also when called twice", async () => {
    const pod = await fakePod();
    const forward = pod.forward();
    const stream = await forward.connect();
    await forward.close();
    await forward.close();
    expect(stream.destroyed).toBe(true);
    expect(await rejection(forward.connect())).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(await rejection(forward.listen())).toMatchObject({ code: "CLIENT_CLOSED" });
    await eventually(() => pod.sockets.size === 0, "the connection ends");
  });
});
