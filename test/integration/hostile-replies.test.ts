/** Replies of a malicious runtime: too large, endless, or random bytes. */

import fc from "fast-check";
import { Status } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import type { CallOptions, CriClient } from "../../src/index.js";
import {
  Container,
  ContainerEventResponse,
  ListContainersResponse,
  Long,
  StreamContainersResponse,
  VersionResponse,
} from "../../src/proto.js";
import { recordFigures } from "../support/figures.js";
import { envelope, serveStreams } from "../support/hostile-server.js";
import { maxStallMs, ResourceWatch } from "../support/resource-watch.js";
import { thorough } from "../support/thorough.js";
import {
  clientOf,
  expectRecovery,
  floodStream,
  longMs,
  maxMebibytes,
  mebibyte,
  outcome,
  sendReply,
  shortMs,
} from "./hostile-support.js";
import { rejection } from "./support.js";

describe("replies that are too large", () => {
  /** Serves one reply, or endlessly repeats it for streams. Other RPCs are UNIMPLEMENTED. */
  const serveReply = (rpcs: readonly string[], reply: Uint8Array) =>
    serveStreams((stream, path) => {
      const rpc = path.split("/").at(-1) ?? "";
      if (!rpcs.includes(rpc)) sendReply(stream, [], 12);
      else if (/^Stream|^Get/.test(rpc)) floodStream(stream, envelope(reply));
      else sendReply(stream, [reply]);
    });

  test("rejects too many bytes, with the option to change in the error message", async () => {
    const reply = ListContainersResponse.encode({ containers: [container("x".repeat(2 * mebibyte))] }).finish();
    const server = await serveReply(["ListContainers"], reply);
    const cri = clientOf(server, 1);
    const failure = await outcome((timeoutMs) => cri.containers.list({}, { timeoutMs }));
    expect(failure).toMatchObject({ code: "RESOURCE_EXHAUSTED", mayHaveTakenEffect: false });
    expect(String(failure)).toMatch(
      /larger than max \(\d+ vs 1048576\).*raise channelOptions\["grpc.max_receive_message_length"\]/,
    );
    await expectRecovery(cri, server);
  });

  test("rejects too many fields, which need 2 bytes each on the wire but 200 in memory", async () => {
    // Each two bytes encode an empty container.
    const server = await serveReply(["ListContainers"], Buffer.alloc(8 * mebibyte, "\n\0"));
    const cri = clientOf(server, 8);
    const failure = await outcome((timeoutMs) => cri.containers.list({}, { timeoutMs }));
    expect(failure).toMatchObject({ code: "RESOURCE_EXHAUSTED", mayHaveTakenEffect: false });
    expect(String(failure)).toMatch(/more fields than allowed.*max_receive_message_length/);
    await expectRecovery(cri, server);
  });

  test.each<[string, Uint8Array]>([
    ["of large batches", ListContainersResponse.encode({ containers: [container("x".repeat(mebibyte / 2))] }).finish()],
    ["of small batches", Buffer.alloc(20_000, "\n\0")],
  ])("rejects an endless streamed list %s", async (_name, batch) => {
    const server = await serveReply(["StreamContainers"], batch);
    const cri = clientOf(server, 8);
    const failure = await outcome((timeoutMs) => cri.containers.list({}, { timeoutMs }));
    expect(failure).toMatchObject({ code: "RESOURCE_EXHAUSTED", method: "RuntimeService/StreamContainers" });
    expect(String(failure)).toMatch(/list larger than max.*max_receive_message_length/);
    await expectRecovery(cri, server);
  });

  test("accepts unary and streamed lists within the limits", async () => {
    const containers = Array.from({ length: 2_000 }, (_, i) => container(`c${i}`));
    const reply = ListContainersResponse.encode({ containers }).finish();
    const half = StreamContainersResponse.encode({ containers: containers.slice(0, 1_000) }).finish();
    const streaming = await serveStreams((stream) => {
      sendReply(stream, [half, half]);
    });
    const unary = await serveReply(["ListContainers"], reply);
    for (const server of [streaming, unary]) {
      const cri = clientOf(server, 1);
      expect(await cri.containers.list()).toHaveLength(2_000);
      await cri.close();
    }
  });

  test("flow control stops endless events that are not read", async () => {
    const event = ContainerEventResponse.fromPartial({ containerId: "x".repeat(10_000) });
    const message = envelope(ContainerEventResponse.encode(event).finish());
    let sent = { times: 0 };
    const server = await serveStreams((stream) => {
      sent = floodStream(stream, message);
    });
    const cri = clientOf(server);
    using watch = new ResourceWatch();
    const ending = new AbortController();
    const events = cri.raw.runtime.getContainerEvents({}, { signal: ending.signal })[Symbol.asyncIterator]();
    for (let read = 1; read <= 1_000; read++) {
      expect((await events.next()).value).toMatchObject({ containerId: event.containerId });
      if (read % 250 !== 0) continue;
      // The runtime can only send as many unread events as fit into windows and buffers.
      await waitUntilStable(() => sent.times);
      expect((sent.times - read) * message.length).toBeLessThan(8 * mebibyte);
    }
    recordFigures("OK", watch);
    expect(watch.mebibytes).toBeLessThan(maxMebibytes);
    expect(watch.stallMs).toBeLessThan(maxStallMs);
    ending.abort();
    await expectRecovery(cri, server);
  });

  test("a watch keeps bounded memory during endless events", async () => {
    const id = (i: number) => `${i}`.padStart(64, "0");
    const createdAt = Long.fromNumber((Date.now() + 3_600_000) * 1e6);
    const events = Array.from({ length: 11_000 }, (_, i) =>
      ContainerEventResponse.fromPartial({
        containerId: id(i),
        createdAt,
        podSandboxStatus: { id: id(i), createdAt },
        containersStatuses: [{ id: id(i) }],
      }),
    );
    const messages = Buffer.concat(events.map((event) => envelope(ContainerEventResponse.encode(event).finish())));
    const version = VersionResponse.fromPartial({
      version: "0.1.0",
      runtimeName: "containerd",
      runtimeVersion: "2.1.0",
      runtimeApiVersion: "v1",
    });
    let sent = { times: 0 };
    const server = await serveStreams((stream, path) => {
      if (path.endsWith("/Version")) sendReply(stream, [VersionResponse.encode(version).finish()]);
      else if (path.endsWith("/GetContainerEvents")) sent = floodStream(stream, messages);
      else if (path.includes("/List")) sendReply(stream, [Buffer.alloc(0)]);
      else sendReply(stream, [], 12);
    });
    const cri = clientOf(server);
    using watch = new ResourceWatch();
    const stream = cri.events({ initial: true });
    await stream.ready;
    await expect.poll(() => sent.times, { timeout: longMs }).toBeGreaterThan(2);
    recordFigures("OK", watch);
    // Node.js 22 collects the garbage of decoded events later than other versions.
    expect(watch.mebibytes).toBeLessThan(2 * maxMebibytes);
    expect(watch.stallMs).toBeLessThan(maxStallMs);
    const first = await stream[Symbol.asyncIterator]().next();
    expect(first.value).toMatchObject({ type: "resync" });
    await stream.close();
    await expectRecovery(cri, server);
  });
});

describe("an endless stream of empty replies", () => {
  /** Each write contains more replies than the event loop can process in one turn. */
  const empty = Buffer.alloc(20_000 * envelope(Buffer.alloc(0)).length);
  const serveEmpty = () =>
    serveStreams((stream, path) => {
      if (/\/(Stream|Get)/.test(path)) floodStream(stream, empty);
      else sendReply(stream, [], 12);
    });

  test("a list ends at its deadline", async () => {
    const server = await serveEmpty();
    const cri = clientOf(server);
    const failure = await outcome((timeoutMs) => cri.containers.list({}, { timeoutMs }), shortMs);
    expect(failure).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await expectRecovery(cri, server);
  });

  test("an event stream ends at its deadline", async () => {
    const server = await serveEmpty();
    const cri = clientOf(server);
    using watch = new ResourceWatch();
    const events = exhaust(cri.raw.runtime.getContainerEvents({}, { timeoutMs: shortMs }));
    expect(await rejection(events)).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
    recordFigures("DEADLINE_EXCEEDED", watch);
    expect(watch.stallMs).toBeLessThan(maxStallMs);
    await expectRecovery(cri, server);
  });

  test("a list without a deadline rejects with RESOURCE_EXHAUSTED", async () => {
    const server = await serveEmpty();
    const cri = clientOf(server, 1);
    const failure = await outcome(() => cri.containers.list({}, { timeoutMs: 0 }));
    expect(failure).toMatchObject({ code: "RESOURCE_EXHAUSTED", method: "RuntimeService/StreamContainers" });
    await expectRecovery(cri, server);
  });
});

describe("malformed replies", () => {
  /** All calls that read a reply. */
  const calls: Record<string, (cri: CriClient, options: CallOptions) => Promise<unknown>> = {
    version: (cri, options) => cri.version(options),
    status: (cri, options) => cri.status({ verbose: true, ...options }),
    runtimeConfig: (cri, options) => cri.runtimeConfig(options),
    capabilities: (cri, options) => cri.capabilities(options),
    "pods.list": (cri, options) => cri.pods.list({}, options),
    "pods.status": (cri, options) => cri.pods.get("p1").status(options),
    "pods.inspect": (cri, options) => cri.pods.get("p1").inspect(options),
    "pods.run": (cri, options) => cri.pods.run({ name: "p1" }, options),
    "containers.list": (cri, options) => cri.containers.list({}, options),
    "containers.status": (cri, options) => cri.containers.get("c1").status(options),
    "containers.inspect": (cri, options) => cri.containers.get("c1").inspect(options),
    "containers.run": (cri, options) => cri.containers.run("p1", { name: "c1", image: "busybox:1" }, options),
    "containers.start": (cri, options) => cri.containers.get("c1").start(options),
    "containers.stop": (cri, options) => cri.containers.get("c1").stop({ ...options, gracePeriodSeconds: 1 }),
    "containers.execSync": (cri, options) => cri.containers.get("c1").execSync(["true"], options),
    "containers.exec": (cri, options) => cri.containers.get("c1").exec(["true"], options),
    "pods.portForward": (cri, options) => cri.pods.get("p1").portForward(80, options).connect(),
    "images.list": (cri, options) => cri.images.list({}, options),
    "images.inspect": (cri, options) => cri.images.inspect("busybox:1", options),
    "images.pull": (cri, options) => cri.images.pull("busybox:1", options),
    "images.fsInfo": (cri, options) => cri.images.fsInfo(options),
    "stats.snapshot": (cri, options) => cri.stats.snapshot(options),
    "stats.podMetrics": (cri, options) => cri.stats.podMetrics(options),
    "stats.metricDescriptors": (cri, options) => cri.stats.metricDescriptors(options),
  };

  const number = fc.integer({ min: 1, max: 20 });
  const field = (number: number, kind: number, ...value: Uint8Array[]) =>
    Buffer.concat([varint(number * 8 + kind), ...value]);
  /** Fields of any number and wire type, possibly nested. */
  const { fields } = fc.letrec<{ fields: Buffer }>((tie) => {
    const content = fc.oneof(
      tie("fields"),
      fc.uint8Array({ maxLength: 20 }),
      fc.string().map((string) => Buffer.from(string)),
    );
    const one = fc.oneof(
      { depthSize: "small" },
      fc.tuple(number, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(([at, value]) => field(at, 0, varint(value))),
      fc.tuple(number, fc.uint8Array({ minLength: 8, maxLength: 8 })).map(([at, bytes]) => field(at, 1, bytes)),
      fc.tuple(number, content).map(([at, bytes]) => field(at, 2, varint(bytes.length), bytes)),
    );
    return { fields: fc.array(one, { maxLength: 8 }).map((parts) => Buffer.concat(parts)) };
  });

  const replies: [string, fc.Arbitrary<Uint8Array>][] = [
    ["random bytes", fc.uint8Array({ maxLength: 30 })],
    ["random fields", fields],
  ];

  test.each(replies)("%s: every call ends in a result or a CriError", { timeout: 300_000 }, async (_name, replies) => {
    let reply: Uint8Array = Buffer.alloc(0);
    const server = await serveStreams((stream) => sendReply(stream, [reply]));
    const cri = clientOf(server);
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(replies, fc.constantFrom(...Object.keys(calls)), async (bytes, name) => {
        reply = bytes;
        const result = await outcome((timeoutMs) => calls[name]!(cri, { timeoutMs, retry: false }), shortMs);
        const code = result === "OK" ? result : result.code;
        seen.set(code, (seen.get(code) ?? 0) + 1);
      }),
      { numRuns: thorough ? 5_000 : 300 },
    );
    expect(seen.size).toBeGreaterThan(2);
    await expectRecovery(cri, server);
  });
});

/** Encodes a number as a protobuf varint. */
function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function container(id: string): Container {
  return Container.fromPartial({ id, podSandboxId: "p1", metadata: { name: "main" }, createdAt: Long.ONE });
}

/** Reads a stream to its end. */
async function exhaust(replies: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of replies);
}

/** Waits until the value no longer changes. */
async function waitUntilStable(read: () => number): Promise<void> {
  let before = Number.NaN;
  await expect
    .poll(
      () => {
        const same = read() === before;
        before = read();
        return same;
      },
      { interval: 150, timeout: longMs },
    )
    .toBe(true);
}
