/** Lists that are read in parts. */
import { setTimeout as sleep } from "node:timers/promises";
import { createChannel, createClient } from "nice-grpc";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { ConnectOptions, CriClient, CriStream } from "../../src/index.js";
import { ListContainersResponse, RuntimeServiceDefinition, StreamContainersResponse } from "../../src/proto.js";
import { rejection, startFake } from "./support.js";

const unary = "ListContainers";

/** More than the client decodes at once. */
const many = 10_000;

const id = (index: number) => `${index}`.padStart(64, "0");
const containersOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: id(index), metadata: { name: `c${index % 2}` } }));
const replyOf = (count: number) =>
  ListContainersResponse.encode(ListContainersResponse.fromPartial({ containers: containersOf(count) })).finish();

/** A fake runtime that returns a long list to the next call, and a client for it. */
async function startLong(reply: Uint8Array = replyOf(many), connectOptions: Omit<ConnectOptions, "endpoint"> = {}) {
  const { runtime, cri } = await startFake({}, connectOptions);
  runtime.respondNext(unary, reply);
  return { runtime, cri };
}

/** A fake runtime with the streaming RPCs and containers, and a client for it. */
async function startStreaming(containers = 3) {
  const { runtime, cri } = await startFake({ implemented: "all", streamBatchSize: 1 });
  const pod = await cri.pods.run({ name: "p" });
  for (let index = 0; index < containers; index++) await pod.createContainer({ name: `c${index}`, image: "busybox:1" });
  return { runtime, cri };
}

async function collect<T>(stream: AsyncIterable<T>, items: T[] = []): Promise<T[]> {
  for await (const item of stream) items.push(item);
  return items;
}

const methods: readonly [string, (cri: CriClient) => Promise<unknown[]>, (cri: CriClient) => CriStream<object>][] = [
  ["containers", (cri) => cri.containers.list({ name: "c" }), (cri) => cri.containers.iterate({ name: "c" })],
  ["pods", (cri) => cri.pods.list({ namespace: "one" }), (cri) => cri.pods.iterate({ namespace: "one" })],
  ["images", (cri) => cri.images.list(), (cri) => cri.images.iterate()],
  ["one image", (cri) => cri.images.list({ image: "busybox:1" }), (cri) => cri.images.iterate({ image: "busybox:1" })],
  ["a missing image", (cri) => cri.images.list({ image: "no:1" }), (cri) => cri.images.iterate({ image: "no:1" })],
  ["stats of containers", (cri) => cri.stats.containers(), (cri) => cri.stats.iterateContainers()],
  ["stats of pods", (cri) => cri.stats.pods(), (cri) => cri.stats.iteratePods()],
  ["metrics of pods", (cri) => cri.stats.podMetrics(), (cri) => cri.stats.iteratePodMetrics()],
];

describe.each([
  ["does not stream lists", ["ListPodSandboxMetrics"]],
  ["streams lists", "all"],
] as const)("where the runtime %s", (_, implemented) => {
  test.each(methods)("yields the entries of the list: %s", async (_name, list, iterate) => {
    const { cri } = await startFake({ implemented, images: ["busybox:1", "other:1"], streamBatchSize: 1 });
    for (const namespace of ["one", "two"]) {
      const pod = await cri.pods.run({ name: "p", namespace, cgroupParent: "/pods" });
      for (const name of ["c", "d"]) await pod.createContainer({ name, image: "busybox:1" });
    }
    // Timestamps and usage differ between two calls.
    const withoutFigures = (items: unknown[]) =>
      JSON.stringify(items).replace(/"(\w*(?:[tT]imestamp|[vV]alue|Cores|Seconds))":("?)[\d.e+-]+\2/g, '"$1":0');
    expect(withoutFigures(await collect(iterate(cri)))).toBe(withoutFigures(await list(cri)));
  });
});

describe("a long list from the unary RPC", () => {
  test("is decoded in parts, each when it is requested, with turns of the event loop in between", async () => {
    const { cri } = await startLong();
    let turns = 0;
    let immediate = setImmediate(function count() {
      turns++;
      immediate = setImmediate(count);
    });
    const before: number[] = [];
    const ids: string[] = [];
    for await (const part of cri.containers.iterate().batches()) {
      before.push(turns);
      expect(part.length).toBeLessThan(many / 10);
      ids.push(...part.map((container) => container.id));
      for (const end = performance.now() + 3; performance.now() < end; );
    }
    clearImmediate(immediate);
    expect(ids).toEqual(containersOf(many).map((container) => container.id));
    expect(new Set(before).size).toBe(before.length);
  });

  test("is not joined from the pieces in which it arrives", async () => {
    const { cri } = await startLong();
    const concat = vi.spyOn(Buffer, "concat");
    onTestFinished(() => concat.mockRestore());
    expect(await collect(cri.containers.iterate())).toHaveLength(many);
    const joined = concat.mock.results.map(({ value }) => (value as Buffer).length);
    expect(Math.max(...joined)).toBeLessThan(100_000);
  });

  test("is a whole message for other gRPC clients of the process, also where they share the pool of connections", async () => {
    const { cri, runtime } = await startLong(replyOf(many), {
      channelOptions: { "grpc.use_local_subchannel_pool": 0 },
    });
    expect(await collect(cri.containers.iterate())).toHaveLength(many);
    const channel = createChannel(runtime.endpoint, undefined, { "grpc.max_receive_message_length": -1 });
    onTestFinished(() => channel.close());
    runtime.respondNext(unary, replyOf(many));
    const { containers } = await createClient(RuntimeServiceDefinition, channel).listContainers({});
    expect(containers).toHaveLength(many);
  });

  test("filters by what CRI cannot filter", async () => {
    const { cri } = await startLong();
    const found = await collect(cri.containers.iterate({ name: "c1" }));
    expect(found).toHaveLength(many / 2);
    expect(JSON.parse(JSON.stringify(found[0]))).toMatchObject({ id: id(1), state: "CONTAINER_CREATED" });
  });

  test("can be left, aborted and closed", async () => {
    const { runtime, cri } = await startLong();
    let seen = 0;
    for await (const _ of cri.containers.iterate()) if (++seen === 100) break;
    expect(seen).toBe(100);

    runtime.respondNext(unary, replyOf(many));
    const controller = new AbortController();
    const reason = new Error("enough");
    const untilAborted = async () => {
      for await (const container of cri.containers.iterate({}, { signal: controller.signal })) {
        expect(container.id <= id(100)).toBe(true);
        if (container.id === id(100)) controller.abort(reason);
      }
    };
    expect(await rejection(untilAborted())).toBe(reason);

    runtime.respondNext(unary, replyOf(many));
    const parts = cri.containers.iterate().batches()[Symbol.asyncIterator]();
    await parts.next();
    await cri.close();
    await sleep(3);
    expect(await rejection(parts.next())).toMatchObject({ code: "CLIENT_CLOSED", method: `RuntimeService/${unary}` });
  });

  test("has no time limit once the reply has arrived", async () => {
    const { cri } = await startLong();
    let count = 0;
    for await (const part of cri.containers.iterate({}, { timeoutMs: 1_500 }).batches()) {
      if (count === 0) await sleep(1_600);
      count += part.length;
    }
    expect(count).toBe(many);
  });

  test("times out before the reply has arrived", async () => {
    const { runtime, cri } = await startFake();
    runtime.delayNext(unary, 5_000);
    const error = await rejection(collect(cri.containers.iterate({}, { timeoutMs: 100 })));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  test("fails at the malformed part, after the entries before it", async () => {
    const { cri } = await startLong(Buffer.concat([replyOf(many), Buffer.of(0x0a, 0x40, 0x41)]));
    const items: object[] = [];
    const error = await rejection(collect(cri.containers.iterate(), items));
    expect(error).toMatchObject({
      code: "INTERNAL",
      method: `RuntimeService/${unary}`,
      attempts: 1,
      mayHaveTakenEffect: false,
      message: expect.stringContaining("Response message parsing error"),
    });
    expect(items.length).toBeGreaterThan(many / 2);
  });

  test("is retried while nothing has arrived", async () => {
    const { runtime, cri } = await startLong();
    runtime.clearFaults();
    runtime.failNext(unary, { code: "UNAVAILABLE" });
    runtime.respondNext(unary, replyOf(many));
    expect(await collect(cri.containers.iterate())).toHaveLength(many);
  });

  test("reaches middleware as a whole", async () => {
    const seen: number[] = [];
    const { cri } = await startLong(replyOf(many), {
      middleware: [
        async function* keepOne(call, options) {
          const reply = yield* call.next(call.request, options);
          if (!call.method.path.endsWith(unary)) return reply;
          const { containers } = reply as ListContainersResponse;
          seen.push(containers.length);
          return Object.freeze({ containers: Object.freeze(containers.slice(0, 1)) }) as typeof reply;
        },
      ],
    });
    expect((await collect(cri.containers.iterate())).map((container) => container.id)).toEqual([id(0)]);
    expect(seen).toEqual([many]);
  });

  test("omits entries without an id, and reports their number once, even if it is left early", async () => {
    const warnings: [string, unknown][] = [];
    const logger = {
      warn: (message: string, { omitted }: Record<string, unknown>) => warnings.push([message, omitted]),
    };
    const nameless = ListContainersResponse.encode(
      ListContainersResponse.fromPartial({ containers: [{}, {}] }),
    ).finish();
    const { runtime, cri } = await startLong(Buffer.concat([nameless, replyOf(many), nameless]), { logger });
    expect(await collect(cri.containers.iterate())).toHaveLength(many);
    runtime.respondNext(unary, Buffer.concat([nameless, replyOf(many), nameless]));
    for await (const _ of cri.containers.iterate()) break;
    const message = "the runtime listed entries without an id; they are omitted";
    expect(warnings).toEqual([
      [message, 4],
      [message, 2],
    ]);
  });
});

describe("a streamed list", () => {
  test("is cancelled when it is left", async () => {
    const { runtime, cri } = await startStreaming();
    runtime.slowNext("StreamContainers", { chunkBytes: 20, everyMs: 20 });
    for await (const _ of cri.containers.iterate()) break;
    await expect.poll(() => runtime.callsOf("StreamContainers")[0]?.outcome).toBe("CANCELLED");
  });

  test("fails if it breaks midway, and does not start over", async () => {
    const { runtime, cri } = await startStreaming();
    runtime.failNext("StreamContainers", { code: "UNAVAILABLE", phase: "duringEffect" });
    const items: object[] = [];
    expect(await rejection(collect(cri.containers.iterate(), items))).toMatchObject({
      code: "UNAVAILABLE",
      method: "RuntimeService/StreamContainers",
      attempts: 1,
    });
    expect(items).toHaveLength(1);
    expect(runtime.callsOf("ListContainers")).toEqual([]);
    expect(await collect(cri.containers.iterate())).toHaveLength(3);
  });

  test("decodes large messages in parts", async () => {
    const { runtime, cri } = await startStreaming(1);
    const containers = containersOf(many);
    runtime.respondNext(
      "StreamContainers",
      StreamContainersResponse.encode(StreamContainersResponse.fromPartial({ containers })).finish(),
    );
    const sizes: number[] = [];
    for await (const part of cri.containers.iterate().batches()) sizes.push(part.length);
    expect(Math.max(...sizes)).toBeLessThan(many / 10);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(many);
  });

  test("has a time limit that includes the time of its reader", async () => {
    const { runtime, cri } = await startStreaming();
    runtime.slowNext("StreamContainers", { chunkBytes: 20, everyMs: 50 });
    const error = await rejection(collect(cri.containers.iterate({}, { timeoutMs: 300 })));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});

test("invalid filters and options are refused at once", async () => {
  const { runtime, cri } = await startFake();
  const wrong: readonly [string, () => unknown][] = [
    ["filter.states", () => cri.containers.iterate({ states: "running" } as never)],
    ["filter.nmae", () => cri.pods.iterate({ nmae: "p" } as never)],
    ["filter.img", () => cri.images.iterate({ img: "x" } as never)],
    ["filter.id", () => cri.stats.iterateContainers({ id: "" })],
    ["filter.labels", () => cri.stats.iteratePods({ labels: "app=web" as never })],
    ["timeoutMs", () => cri.stats.iteratePodMetrics({ timeoutMs: -1 })],
  ];
  for (const [field, call] of wrong) expect(call).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field }));
  expect(runtime.calls).toEqual([]);
});
