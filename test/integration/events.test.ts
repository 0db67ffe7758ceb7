import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  ContainerState,
  CriClient,
  type CriEvent,
  type EventStream,
  type NodeFilter,
  type OwnedPodSandbox,
  PodSandboxState,
  type ResyncEvent,
} from "../../src/index.js";
import { toNanoseconds } from "../../src/internal/time.js";
import type { FakeRuntimeOptions } from "../../src/testing/index.js";
import { unusedEndpoint } from "../support/platform.js";
import { rejection, startFake } from "./support.js";

const image = "busybox:1";

/** Reads a stream to its end and records its events. */
function collect(stream: EventStream) {
  const events: CriEvent[] = [];
  const done = (async () => {
    for await (const event of stream) events.push(event);
  })();
  done.catch(() => {});
  onTestFinished(() => stream.close());
  return { events, done, types: () => events.map(({ type }) => type) };
}

async function startWatching(options: FakeRuntimeOptions = {}, initial = false) {
  const fake = await startFake(options);
  const stream = fake.cri.events({ initial });
  const reading = collect(stream);
  await stream.ready;
  return { ...fake, stream, ...reading };
}

const lifecycle = [
  "podAdded",
  "containerAdded",
  "containerStarted",
  "containerExited",
  "podUpdated",
  "containerRemoved",
  "podRemoved",
];

/** Waits until the client no longer takes events that seem to be older than its first lists for a replay. */
const replayEnds = () => sleep(1_100);

describe("events", () => {
  test.each([
    ["containerd-1.6", {}, "list"],
    ["containerd-1.7", {}, "list"],
    ["containerd-2", {}, "events"],
    ["cri-o", {}, "list"],
    ["cri-o", { events: "broadcast" }, "events"],
  ] as const)(
    "report each change of a pod and its container once, on %s with %j from %s",
    async (flavor, options, source) => {
      const { cri, stream, events, types } = await startWatching({ flavor, ...options });
      const until = (count: number) => expect.poll(types, { timeout: 5_000 }).toEqual(lifecycle.slice(0, count));
      const pod = await cri.pods.run({ name: "p" });
      const container = await cri.runContainerInSandbox(pod, { name: "c", image, command: ["sleep", "1000"] });
      await until(3);
      await container.stop({ gracePeriodSeconds: 0 });
      await until(4);
      await pod.stop();
      await until(5);
      await container.remove();
      await pod.remove();
      await until(7);
      expect(stream.source).toBe(source);
      expect(events[0]).toMatchObject({ pod: { id: pod.id }, at: expect.any(Date) });
      const exit = events[3];
      expect(exit).toMatchObject({ exitCode: 137, container: { id: container.id }, status: { id: container.id } });
      await sleep(300);
      expect(types()).toEqual(lifecycle);
    },
  );

  test("report objects that exist only between two polls, where the runtime has events", async () => {
    const { cri, runtime, events, types } = await startWatching();
    runtime.delayNext("ListContainers", 400);
    runtime.delayNext("StreamContainers", 400);
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image, command: ["sh", "-c", "exit 3"] });
    await container.wait();
    await pod.remove();
    // A busy client may receive events after newer lists, and then reports the removal of the pod before them.
    const reported = () => types().filter((type) => type !== "podUpdated");
    await expect
      .poll(() => reported().sort(), { timeout: 5_000 })
      .toEqual(lifecycle.filter((type) => type !== "podUpdated").sort());
    expect(events.find(({ type }) => type === "containerExited")).toMatchObject({ exitCode: 3 });
  });

  test("share lists while the runtime keeps sending events", async () => {
    const { cri, runtime } = await startWatching();
    const pod = await cri.pods.run({ name: "p" });
    await replayEnds();
    const listsBefore = runtime.callsOf("ListContainers").length;
    const startedAt = performance.now();
    for (let index = 0; index < 20; index++) {
      runtime.emit({ containerId: pod.id, podSandboxStatus: { id: pod.id } });
      await sleep(20);
    }
    const elapsedMs = performance.now() - startedAt;
    const lists = runtime.callsOf("ListContainers").length - listsBefore;
    // At once, after 25, 50 and 100 ms, and then every 200 ms.
    expect(lists).toBeGreaterThan(0);
    expect(lists).toBeLessThanOrEqual(5 + elapsedMs / 200);
  });

  test.each(["containerd-1.7", "containerd-2"] as const)(
    "report a container together with its pod, also if both were created between the two lists, on %s",
    async (flavor) => {
      const { cri, runtime } = await startFake({ flavor });
      await using view = cri.watch();
      await view.ready;
      const hasPod: boolean[] = [];
      view.on("containerAdded", ({ container }) => hasPod.push(view.pods.has(container.podSandboxId)));
      runtime.delayNext("ListContainers", 500);
      await runtime.nextCall("ListContainers");
      const pod = await cri.pods.run({ name: "p" });
      await cri.runContainerInSandbox(pod, { name: "c", image, command: ["sleep", "1000"] });
      await expect.poll(() => hasPod, { timeout: 5_000 }).toEqual([true]);
      expect(view.pods.has(pod.id)).toBe(true);
    },
  );

  test("do not report changes from before the subscription", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "removed" });
    await pod.remove();
    const stream = cri.events();
    const { types } = collect(stream);
    await stream.ready;
    await sleep(300);
    expect(types()).toEqual([]);
  });

  test("do not report a long replay of old events", async () => {
    const { runtime, cri } = await startFake();
    const kept = await cri.pods.run({ name: "kept" });
    for (let index = 0; index < 900; index++) {
      runtime.emit({
        containerId: `c${index}`,
        podSandboxStatus: { id: `p${index}`, createdAt: toNanoseconds(new Date()) },
        containersStatuses: [{ id: `c${index}`, state: ContainerState.CONTAINER_EXITED }],
      });
    }
    const stream = cri.events({ initial: true });
    const { events, types } = collect(stream);
    await stream.ready;
    await sleep(300);
    expect(types()).toEqual(["resync"]);
    expect([...(events[0] as Extract<CriEvent, { type: "resync" }>).pods.keys()]).toEqual([kept.id]);
  });

  test("do not report a replay that arrives with pauses", async () => {
    const { runtime, cri } = await startFake();
    await cri.version();
    const stream = cri.events();
    const { types } = collect(stream);
    const ready = stream.ready;
    for (const pod of ["first", "second", "third"]) {
      // containerd 2.1 paused for up to 17 ms on a busy machine.
      await sleep(20);
      const createdAt = toNanoseconds(new Date(Date.now() - 60_000));
      runtime.emit({ createdAt, podSandboxStatus: { id: pod, createdAt } });
    }
    await ready;
    await sleep(300);
    expect(types()).toEqual([]);
  });

  test("do not report a replay that arrives late and slowly, but what happens meanwhile", async () => {
    const { runtime, cri } = await startFake();
    await cri.version();
    const stream = cri.events();
    const { types } = collect(stream);
    await stream.ready;
    const fresh = toNanoseconds(new Date());
    runtime.emit({ createdAt: fresh, podSandboxStatus: { id: "brief", createdAt: fresh } });
    for (let pod = 0; pod < 6; pod++) {
      await sleep(300);
      const createdAt = toNanoseconds(new Date(Date.now() - 60_000));
      runtime.emit({ createdAt, podSandboxStatus: { id: `old-${pod}`, createdAt } });
    }
    await sleep(300);
    expect(types()).toEqual(["podAdded", "podRemoved"]);
  });

  test.each([
    ["the client's clock is set back by a minute", 60_000, 0],
    ["the client's clock is five minutes ahead", 300_000, 300_000],
    ["the client's clock is five minutes behind", -300_000, -300_000],
  ])("are complete when %s", async (_, whileSubscribing, afterwards) => {
    const { cri } = await startFake();
    await (await cri.pods.run({ name: "before" })).remove();
    const pod = await cri.pods.run({ name: "p" });
    const clock = vi.spyOn(Date, "now");
    onTestFinished(() => clock.mockRestore());
    const real = () => performance.timeOrigin + performance.now();
    clock.mockImplementation(() => real() + whileSubscribing);
    const stream = cri.events();
    const { events, types } = collect(stream);
    await stream.ready;
    clock.mockImplementation(() => real() + afterwards);
    await replayEnds();
    const container = await pod.runContainer({ name: "c", image, command: ["sh", "-c", "exit 3"] });
    const exit = container.wait();
    await expect.poll(types, { timeout: 5_000 }).toContain("containerExited");
    await container.remove();
    expect(await exit).toMatchObject({ exitCode: 3 });
    const brief = await pod.runContainer({ name: "brief", image, command: ["sh", "-c", "exit 4"] });
    await brief.stop();
    await brief.remove();
    const removed = () => events.filter(({ type }) => type === "containerRemoved").length;
    await expect.poll(removed, { timeout: 5_000 }).toBe(2);
    expect(events).toContainEqual(expect.objectContaining({ type: "containerExited", exitCode: 4 }));
    expect(types()).not.toContain("podRemoved");
  });

  test("are complete in virtual time, which only advances on request", async () => {
    const { cri, runtime, events } = await startWatching({ time: "virtual" });
    await replayEnds();
    const pod = await cri.pods.run({ name: "p" });
    const container = await pod.runContainer({ name: "c", image, command: ["sh", "-c", "exit 3"] });
    await container.stop();
    await container.remove();
    await runtime.advanceTime(1);
    await expect
      .poll(() => events, { timeout: 5_000 })
      .toContainEqual(expect.objectContaining({ type: "containerExited", exitCode: 3 }));
  });

  test("start with a resync with initial: true", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    for await (const event of cri.events({ initial: true })) {
      expect(event).toMatchObject({ type: "resync", reason: "initial", pods: new Map([[pod.id, { id: pod.id }]]) });
      break;
    }
  });

  test.each(["events", "list"] as const)(
    "continue after a restart with a resync for the gap, from %s",
    async (source) => {
      const warn = vi.fn();
      const { runtime, cri } = await startFake({}, { logger: { warn }, watch: { source, pollMs: 200 } });
      const stream = cri.events();
      const { events, types } = collect(stream);
      await stream.ready;
      const pod = await cri.pods.run({ name: "p" });
      const container = await cri.runContainerInSandbox(pod, { name: "c", image, command: ["sleep", "1000"] });
      await expect.poll(types, { timeout: 5_000 }).toEqual(lifecycle.slice(0, 3));
      await runtime.kill();
      // Without events, only a relist that fails reveals the outage.
      await expect.poll(() => warn.mock.calls.length).toBe(1);
      await runtime.restart({ containers: "lost" });
      await expect.poll(types, { timeout: 10_000 }).toContain("resync");
      expect(events.slice(3).map(({ type }) => type)).toEqual(["podUpdated", "containerExited", "resync"]);
      expect(events[4]).toMatchObject({ exitCode: 255 });
      const { reason, pods, containers } = events[5] as Extract<CriEvent, { type: "resync" }>;
      expect([reason, [...pods.keys()], [...containers.keys()]]).toEqual(["gap", [pod.id], [container.id]]);
      await cri.pods.run({ name: "q" });
      await expect.poll(types, { timeout: 5_000 }).toContain("podAdded");
      expect(stream.source).toBe(source);
      await sleep(1_200);
      expect(types().filter((type) => type === "resync")).toHaveLength(1);
    },
  );

  test("identify the runtime again after a restart", async () => {
    const { runtime, stream, types } = await startWatching();
    runtime.respondNext("Version", {
      version: "0.1.0",
      runtimeName: "containerd",
      runtimeVersion: "1.7.24",
      runtimeApiVersion: "v1",
    });
    await runtime.kill();
    await sleep(300);
    await runtime.restart();
    await expect.poll(types, { timeout: 10_000 }).toEqual(["resync"]);
    expect(stream.source).toBe("list");
    expect(runtime.eventSubscribers).toBe(0);
  });

  test("become one resync if the consumer does not read them", async () => {
    const { runtime, cri } = await startFake();
    const stream = cri.events();
    await stream.ready;
    const pod = await cri.pods.run({ name: "p" });
    const reader = stream[Symbol.asyncIterator]();
    expect((await reader.next()).value).toMatchObject({ type: "podAdded" });
    await using view = cri.watch();
    await view.ready;
    // One list contains 700 containers, and the next one contains none.
    const containers = Array.from({ length: 700 }, (_, index) => ({ id: `c${index}`, podSandboxId: pod.id }));
    let removed = 0;
    view.on("containerRemoved", () => removed++);
    runtime.respondNext("ListContainers", { containers });
    await expect.poll(() => removed, { timeout: 15_000 }).toBe(700);
    const { value } = await reader.next();
    expect(value).toMatchObject({ type: "resync", reason: "overflow", containers: new Map() });
    await pod.stop();
    expect((await reader.next()).value).toMatchObject({ type: "podUpdated" });
    await pod.remove();
    expect((await reader.next()).value).toMatchObject({ type: "podRemoved" });
    await stream.close();
  });

  test('do not use the event stream of containerd 1.7 unless watch.source is "events"', async () => {
    const { runtime } = await startWatching({ flavor: "containerd-1.7" });
    expect(runtime.callsOf("GetContainerEvents")).toHaveLength(0);
    await using cri = CriClient.lazy({ endpoint: runtime.endpoint, watch: { source: "events" } });
    const stream = cri.events();
    await stream.ready;
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    expect(stream.source).toBe("events");
  });

  test("come from lists if the runtime does not implement GetContainerEvents", async () => {
    const { runtime, cri } = await startFake({ flavor: "containerd-1.6" }, { watch: { source: "events" } });
    const stream = cri.events();
    const { types } = collect(stream);
    await stream.ready;
    await cri.pods.run({ name: "p" });
    await expect.poll(types, { timeout: 5_000 }).toEqual(["podAdded"]);
    expect(stream.source).toBe("list");
    expect(runtime.callsOf("GetContainerEvents")).toHaveLength(1);
  });

  test('come from lists with watch.source "list"', async () => {
    const { runtime, cri } = await startFake({}, { watch: { source: "list" } });
    const stream = cri.events();
    await stream.ready;
    expect(stream.source).toBe("list");
    expect([runtime.callsOf("GetContainerEvents"), runtime.callsOf("Version")]).toEqual([[], []]);
  });

  test("poll less often while nothing changes", async () => {
    const { runtime } = await startWatching();
    await sleep(2_500);
    const polls = runtime.callsOf("ListContainers").length;
    expect(polls).toBeLessThan(12);
    await sleep(1_000);
    expect(runtime.callsOf("ListContainers").length - polls).toBeLessThanOrEqual(1);
  });

  test.each([{ source: "both" }, { pollMs: 0 }, { relistMs: Number.NaN }])("refuse the settings %j", (watch) => {
    expect(() => CriClient.lazy({ endpoint: unusedEndpoint, watch: watch as never })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", field: `watch.${Object.keys(watch)[0]}` }),
    );
  });
});

describe("ending a stream", () => {
  test("by break, close() or abort leaves no subscriber and no timer", async () => {
    const { runtime, cri } = await startFake();
    await cri.pods.run({ name: "p" });
    for await (const _ of cri.events({ initial: true })) break;
    await expect.poll(() => runtime.eventSubscribers).toBe(0);

    const closed = cri.events();
    const { done } = collect(closed);
    await closed.ready;
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    await closed.close();
    await done;
    await expect.poll(() => runtime.eventSubscribers).toBe(0);

    const abort = new AbortController();
    const aborted = cri.events({ signal: abort.signal });
    const reading = collect(aborted);
    await aborted.ready;
    abort.abort(new Error("enough"));
    expect(await rejection(reading.done)).toBe(abort.signal.reason);
    await expect.poll(() => runtime.eventSubscribers).toBe(0);

    const unread = cri.events();
    await unread.ready;
    await unread.close();
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
    runtime.clearCalls();
    await sleep(500);
    expect(runtime.calls).toEqual([]);
  });

  test("an abort ends a started stream that nothing reads", async () => {
    const { runtime, cri } = await startFake();
    const abort = new AbortController();
    const stream = cri.events({ signal: abort.signal });
    await stream.ready;
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    abort.abort(new Error("enough"));
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
    expect(await rejection(collect(stream).done)).toBe(abort.signal.reason);
    const late = cri.events({ signal: abort.signal });
    expect(await rejection(late.ready)).toBe(abort.signal.reason);
    expect(await rejection(collect(late).done)).toBe(abort.signal.reason);
  });

  test.each(["close", "signal", "client"] as const)(
    "ready rejects and makes no calls after the stream was ended by %s",
    async (how) => {
      const { runtime, cri } = await startFake();
      const abort = new AbortController();
      const unhandled = vi.fn();
      process.on("unhandledRejection", unhandled);
      onTestFinished(() => void process.off("unhandledRejection", unhandled));
      const [unread, started] = [cri.events({ signal: abort.signal }), cri.events({ signal: abort.signal })];
      await started.ready;
      if (how === "close") await Promise.all([unread.close(), started.close()]);
      else if (how === "signal") abort.abort(new Error("enough"));
      else await cri.close();
      await expect.poll(() => runtime.eventSubscribers).toBe(0);
      runtime.clearCalls();
      void unread.ready;
      for (const stream of [unread, started]) {
        const reason = await rejection(stream.ready);
        if (how === "signal") expect(reason).toBe(abort.signal.reason);
        else expect(reason).toMatchObject({ code: how === "close" ? "CANCELLED" : "CLIENT_CLOSED" });
        await stream.close();
        expect(await rejection(stream.ready)).toBe(reason);
      }
      await sleep(300);
      expect([runtime.calls, runtime.eventSubscribers, unread.source]).toEqual([[], 0, undefined]);
      expect(unhandled).not.toHaveBeenCalled();
    },
  );

  test("close() rejects a pending ready", async () => {
    const { runtime, cri } = await startFake();
    runtime.delayNext("Version", 500);
    const stream = cri.events();
    const reason = rejection(stream.ready);
    await stream.close();
    expect(await reason).toMatchObject({ code: "CANCELLED" });
  });

  test("many streams leave no listener on their signal", async () => {
    const { cri } = await startFake();
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round++) {
      for await (const _ of cri.events({ signal, initial: true })) break;
      await using view = cri.watch({ signal });
      await view.ready;
    }
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("all streams share one subscription, which ends with the last", async () => {
    const { runtime, cri } = await startFake();
    const [a, b] = [cri.events(), cri.events()];
    await Promise.all([a.ready, b.ready]);
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    await a.close();
    await sleep(100);
    expect(runtime.eventSubscribers).toBe(1);
    await b.close();
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
    expect(runtime.callsOf("GetContainerEvents")).toHaveLength(1);
  });

  test("closing the client rejects all readers", async () => {
    const { cri, stream, done } = await startWatching();
    await cri.close();
    expect(await rejection(done)).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(await rejection(cri.events().ready)).toMatchObject({ code: "CLIENT_CLOSED" });
    await stream.close();
  });

  test.each(["events", "watch"] as const)("with waitForRuntime, %s waits for a runtime that is down", async (what) => {
    const { runtime, cri } = await startFake({}, { watch: { pollMs: 100 } });
    await runtime.kill();
    const stream = what === "events" ? cri.events({ waitForRuntime: true }) : cri.watch({ waitForRuntime: true });
    const onReady = vi.fn();
    void stream.ready.then(onReady);
    await sleep(500);
    expect(onReady).not.toHaveBeenCalled();
    await runtime.restart();
    await stream.ready;
    await stream.close();
    runtime.failNext("Version", { code: "INTERNAL" });
    const retried = cri.watch({ waitForRuntime: true });
    await retried.ready;
    await retried.close();
    const closed = cri.watch({ waitForRuntime: true });
    await cri.close();
    expect(await rejection(closed.ready)).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test.each([{ timeoutMs: 200 }, { deadline: 200 }])("%j ends events and a view", async (limit) => {
    const { runtime, cri } = await startFake();
    const limits = () => ("deadline" in limit ? { deadline: new Date(Date.now() + 200) } : limit);
    const { done } = collect(cri.events(limits()));
    const view = cri.watch(limits());
    expect(await rejection(done)).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await view.closed;
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
    expect(() => cri.events({ timeoutMs: -1 })).toThrow(/timeoutMs/);
    expect(() => cri.watch({ deadline: new Date(Number.NaN) })).toThrow(/deadline/);
  });

  test("rejects if the runtime is down at the start, even if another stream is waiting for it", async () => {
    const { runtime, cri } = await startFake();
    const early = cri.events();
    await early.ready;
    await runtime.kill();
    const late = cri.events();
    expect(await rejection(late.ready)).toMatchObject({ code: "UNAVAILABLE" });
    expect(await rejection(collect(late).done)).toMatchObject({ code: "UNAVAILABLE" });
    expect(await rejection(cri.watch().ready)).toMatchObject({ code: "UNAVAILABLE" });
    await runtime.restart();
    const { events } = collect(early);
    await expect.poll(() => events, { timeout: 10_000 }).toMatchObject([{ type: "resync", reason: "gap" }]);
  });
});

describe("watch", () => {
  test("keeps and finds pods and containers", async () => {
    const { cri } = await startFake();
    const a = await cri.pods.run({ name: "a", namespace: "one", labels: { app: "x" } });
    await using view = cri.watch();
    await view.ready;
    expect([...view.pods.keys()]).toEqual([a.id]);
    const b = await cri.pods.run({ name: "b", labels: { app: "y" } });
    const web = await cri.runContainerInSandbox(b, { name: "web", image, labels: { n: "1" } });
    const side = await cri.createContainerInSandbox(b, { name: "side", image });
    await expect.poll(() => view.containers.size, { timeout: 5_000 }).toBe(2);
    await expect.poll(() => view.findContainers({ state: "running" }).map(({ id }) => id)).toEqual([web.id]);

    const ids = (found: readonly { id: string }[]) => found.map(({ id }) => id);
    expect(ids(view.findPods())).toEqual([a.id, b.id]);
    expect(ids(view.findPods({ namespace: "one", name: "a", state: "ready" }))).toEqual([a.id]);
    expect(ids(view.findPods({ labels: { app: "y" } }))).toEqual([b.id]);
    expect(ids(view.findPods({ state: "notReady" }))).toEqual([]);
    expect(ids(view.findPods({ uid: "?" }))).toEqual([]);
    expect(ids(view.containersOf(b.id)).sort()).toEqual([web.id, side.id].sort());
    expect(view.containersOf(a.id)).toEqual([]);
    expect(ids(view.findContainers({ pod: b, name: "side" }))).toEqual([side.id]);
    expect(ids(view.findContainers({ labels: { n: "1" }, id: web.id.slice(0, 12) }))).toEqual([web.id]);
  });

  test("calls its listeners, until they are removed or the view is closed", async () => {
    const { cri } = await startFake();
    await using view = cri.watch();
    const calls: string[] = [];
    view.on("resync", ({ reason }) => calls.push(reason));
    view.on("podAdded", ({ pod }) => calls.push(`${pod.metadata?.name} ${view.pods.has(pod.id)}`));
    view.on("containerExited", ({ exitCode }) => calls.push(`exit ${exitCode}`));
    view.on("podRemoved", ({ pod }) => calls.push(`removed ${view.pods.has(pod.id)}`));
    const stop = view.on("containerAdded", () => calls.push("never"));
    stop();
    await view.ready;
    const pod = await cri.pods.run({ name: "p" });
    await cri.runContainerInSandbox(pod, { name: "c", image, command: ["sh", "-c", "exit 4"] });
    await expect.poll(() => calls, { timeout: 5_000 }).toEqual(["initial", "p true", "exit 4"]);
    await pod.remove();
    await expect.poll(() => calls, { timeout: 5_000 }).toContain("removed false");
    await view.close();
    await cri.pods.run({ name: "q" });
    await sleep(200);
    expect(calls).toHaveLength(4);
  });

  test('calls "change" listeners with every event after it has updated its state, also after an outage', async () => {
    const { runtime, cri } = await startFake();
    await using view = cri.watch();
    const changes: CriEvent[] = [];
    const missing: CriEvent[] = [];
    view.on("change", (event) => {
      changes.push(event);
      if (event.type === "podAdded" && !view.pods.has(event.pod.id)) missing.push(event);
      if (event.type === "podRemoved" && view.pods.has(event.pod.id)) missing.push(event);
    });
    const types = () => changes.map(({ type }) => type);
    await view.ready;
    const pod = await cri.pods.run({ name: "p" });
    await expect.poll(types).toEqual(["resync", "podAdded"]);
    await runtime.kill();
    await runtime.restart({ keepState: false });
    await expect.poll(types).toEqual(["resync", "podAdded", "podRemoved", "resync"]);
    expect(changes).toMatchObject([
      { reason: "initial" },
      { pod: { id: pod.id } },
      {},
      { reason: "gap", pods: new Map() },
    ]);
    expect(missing).toEqual([]);
  });

  test("an error that a listener throws is an uncaught exception, and stops neither the view nor other listeners", async () => {
    const { cri } = await startFake();
    await using view = cri.watch();
    await view.ready;
    const uncaught: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => void uncaught.push(error));
    onTestFinished(() => {
      process.removeAllListeners("uncaughtException");
      for (const listener of others) process.on("uncaughtException", listener);
    });
    const thrown = new Error("from the listener");
    view.on("change", () => {
      throw thrown;
    });
    const types: string[] = [];
    view.on("change", ({ type }) => types.push(type));
    const pod = await cri.pods.run({ name: "p" });
    await expect.poll(() => types).toEqual(["podAdded"]);
    await pod.remove();
    await expect.poll(() => types.at(-1)).toBe("podRemoved");
    await expect.poll(() => uncaught).toEqual(types.map(() => thrown));
  });

  test("listeners can remove each other, add others for later events, and close the view", async () => {
    const { cri } = await startFake();
    await using view = cri.watch();
    await view.ready;
    const calls: string[] = [];
    view.on("podAdded", () => {
      removeSecond();
      calls.push("first");
      view.on("change", ({ type }) => calls.push(type));
    });
    const removeSecond = view.on("podAdded", () => calls.push("second"));
    view.on("podRemoved", () => {
      calls.push("last");
      void view.close();
    });
    const pod = await cri.pods.run({ name: "p" });
    await expect.poll(() => calls).toEqual(["first"]);
    await pod.stop();
    await expect.poll(() => calls).toEqual(["first", "podUpdated"]);
    await pod.remove();
    await view.closed;
    expect(calls).toEqual(["first", "podUpdated", "last"]);
  });

  test("refuses listeners of an unknown type, and those that are not functions", async () => {
    const { cri } = await startFake();
    await using view = cri.watch();
    expect(() => view.on("changed" as never, () => {})).toThrow(/type: must be one of .* did you mean "change"\?/);
    expect(() => view.on(undefined as never, () => {})).toThrow(/type: is required/);
    expect(() => view.on("change", "log" as never)).toThrow(/listener: must be a function/);
  });

  test("keeps its state while the runtime is down, warns once, and continues afterwards", async () => {
    const warnings: string[] = [];
    let failedCalls = 0;
    const logger = {
      debug: (_: string, { outcome }: Record<string, unknown>) => {
        if (outcome === "UNAVAILABLE") failedCalls++;
      },
      warn: (message: string) => warnings.push(message),
    };
    const { runtime, cri } = await startFake({}, { logger, watch: { pollMs: 100 } });
    const pod = await cri.pods.run({ name: "p" });
    await using view = cri.watch();
    await view.ready;
    await runtime.kill();
    // The events and at least two relists.
    await expect.poll(() => failedCalls).toBeGreaterThanOrEqual(3);
    expect(view.pods.has(pod.id)).toBe(true);
    expect(warnings).toEqual(["pods and containers could not be listed; the watch keeps retrying"]);
    await runtime.restart({ keepState: false });
    await expect.poll(() => view.pods.size, { timeout: 10_000 }).toBe(0);
  });

  test("ends when its signal aborts", async () => {
    const { runtime, cri } = await startFake();
    const abort = new AbortController();
    const view = cri.watch({ signal: abort.signal });
    await view.ready;
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    abort.abort();
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
    await view.closed;
  });

  test.each(["signal", "client"] as const)(
    "is closed from the start and makes no calls if the %s has already ended",
    async (how) => {
      const { runtime, cri } = await startFake();
      const abort = new AbortController();
      if (how === "signal") abort.abort(new Error("enough"));
      else await cri.close();
      const view = cri.watch({ signal: abort.signal });
      await view.closed;
      const reason = await rejection(view.ready);
      if (how === "signal") expect(reason).toBe(abort.signal.reason);
      else expect(reason).toMatchObject({ code: "CLIENT_CLOSED" });
      await view.close();
      await sleep(100);
      expect(runtime.calls).toEqual([]);
    },
  );

  test.each(["close", "signal", "client"] as const)(
    "resolves closed and keeps its state when it is ended by %s",
    async (how) => {
      const { cri } = await startFake();
      const pod = await cri.pods.run({ name: "p" });
      const abort = new AbortController();
      const view = cri.watch({ signal: abort.signal });
      await view.ready;
      const closed = vi.fn();
      void view.closed.then(closed);
      await sleep(50);
      expect(closed).not.toHaveBeenCalled();
      if (how === "close") await view.close();
      else if (how === "signal") abort.abort();
      else await cri.close();
      await view.closed;
      expect([...view.pods.keys()]).toEqual([pod.id]);
    },
  );

  test("resolves closed if the first call fails", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "INTERNAL" });
    const view = cri.watch();
    await view.closed;
    expect(await rejection(view.ready)).toMatchObject({ code: "INTERNAL" });
  });

  test("logs no warning if the client is closed during a poll", async () => {
    const warn = vi.fn();
    const { runtime, cri } = await startFake({}, { logger: { warn }, watch: { pollMs: 50, source: "list" } });
    const view = cri.watch();
    await view.ready;
    runtime.clearCalls();
    runtime.delayNext("ListContainers", 1_000);
    runtime.delayNext("StreamContainers", 1_000);
    await expect.poll(() => runtime.callsOf("ListContainers").length).toBe(1);
    await cri.close();
    await view.closed;
    await sleep(50);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe.each(["events", "list"] as const)("filtered events and views, from %s", (source) => {
  async function startFiltered(filterOf: (pods: Record<"web" | "db", OwnedPodSandbox>) => NodeFilter) {
    const warn = vi.fn();
    const { runtime, cri } = await startFake({}, { logger: { warn }, watch: { source, pollMs: 100 } });
    const web = await cri.pods.run({ name: "web", namespace: "shop", labels: { app: "web", tier: "1" } });
    const db = await cri.pods.run({ name: "db", namespace: "data", labels: { app: "db", tier: "1" } });
    const filter = filterOf({ web, db });
    const view = cri.watch(filter);
    onTestFinished(() => view.close());
    const changes: CriEvent[] = [];
    view.on("change", (event) => changes.push(event));
    const stream = cri.events({ initial: true, ...filter });
    const { events } = collect(stream);
    await Promise.all([stream.ready, view.ready]);
    return { runtime, cri, warn, web, db, view, events, changes };
  }

  test.each<[string, Parameters<typeof startFiltered>[0]]>([
    ["labels of pods", () => ({ labels: { app: "web" } })],
    ["several labels", () => ({ labels: { app: "web", tier: "1" } })],
    ["a pod's handle", ({ web }) => ({ pod: web })],
    ["the prefix of a pod's id", ({ web }) => ({ pod: web.id.slice(0, 12) })],
    ["a namespace", () => ({ namespace: "shop" })],
    ["all of these", ({ web }) => ({ pod: web.id, labels: { tier: "1" }, namespace: "shop" })],
  ])("contain the selected pods and their containers: %s", async (_, filterOf) => {
    const { web, db, view, events, changes } = await startFiltered(filterOf);
    const run = async (pod: OwnedPodSandbox, labels: Record<string, string>) => {
      const container = await pod.runContainer({ name: "c", image, labels, command: ["sleep", "1000"] });
      await container.stop({ gracePeriodSeconds: 0 });
      return container;
    };
    await run(db, { app: "web" });
    const container = await run(web, { app: "db" });
    await expect.poll(() => events.some(({ type }) => type === "containerExited")).toBe(true);
    expect([[...view.pods.keys()], [...view.containers.keys()]]).toEqual([[web.id], [container.id]]);
    await db.remove();
    await web.remove();
    // A relist between the two removals may report the removal of the pod first.
    await expect.poll(() => [view.pods.size, view.containers.size]).toEqual([0, 0]);
    const removals = () => events.map(({ type }) => type).filter((type) => type.endsWith("Removed"));
    await expect.poll(() => removals().sort()).toEqual(["containerRemoved", "podRemoved"]);
    const ids = events.flatMap((event) =>
      "pod" in event ? event.pod.id : "container" in event ? event.container.id : [],
    );
    expect(new Set(ids)).toEqual(new Set([web.id, container.id]));
    expect(events[0]).toMatchObject({ type: "resync", reason: "initial", pods: new Map([[web.id, {}]]) });
    // The timestamps of the two initial resyncs differ.
    await expect.poll(() => changes.slice(1)).toEqual(events.slice(1));
  });

  test("a resync after an outage contains only the selected part", async () => {
    const { runtime, cri, warn, web, db, view, events } = await startFiltered(() => ({ labels: { app: "web" } }));
    await runtime.kill();
    await expect.poll(() => warn.mock.calls.length).toBe(1);
    await runtime.restart();
    await expect.poll(() => events.at(-1)).toMatchObject({ type: "resync", reason: "gap" });
    expect([...(events.at(-1) as ResyncEvent).pods.keys()]).toEqual([web.id]);
    expect((await cri.pods.list()).map(({ id }) => id).sort()).toEqual([web.id, db.id].sort());
    expect([...view.pods.keys()]).toEqual([web.id]);
  });

  test.each(["web", "db"] as const)("only selected events count as unread: containers of %s", async (name) => {
    const { runtime, cri, web, ...pods } = await startFiltered(({ web }) => ({ pod: web }));
    const stream = cri.events({ pod: web });
    await stream.ready;
    let removed = 0;
    const unfiltered = cri.watch();
    await unfiltered.ready;
    unfiltered.on("containerRemoved", () => removed++);
    const podSandboxId = name === "web" ? web.id : pods.db.id;
    // One list contains 700 containers, and the next one contains none.
    const containers = Array.from({ length: 700 }, (_, index) => ({ id: `c${index}`, podSandboxId }));
    runtime.respondNext("ListContainers", { containers });
    await expect.poll(() => removed, { timeout: 15_000 }).toBe(700);
    await web.remove();
    await expect.poll(() => unfiltered.pods.has(web.id)).toBe(false);
    const reader = stream[Symbol.asyncIterator]();
    const { value } = await reader.next();
    if (name === "web") expect(value).toMatchObject({ type: "resync", reason: "overflow", pods: new Map() });
    else expect(value).toMatchObject({ pod: { id: web.id } });
    await Promise.all([stream.close(), unfiltered.close()]);
  });
});

describe("waitFor", () => {
  async function withContainer(options: FakeRuntimeOptions = {}) {
    const { runtime, cri } = await startFake(options);
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.createContainerInSandbox(pod, { name: "c", image, command: ["sleep", "1000"] });
    return { runtime, cri, pod, container };
  }

  test.each(["containerd-1.6", "containerd-2"] as const)("resolves for a container and a pod on %s", async (flavor) => {
    const { cri, pod, container } = await withContainer({ flavor });
    const running = cri.waitFor(container, ({ state }) => state === ContainerState.CONTAINER_RUNNING);
    const stopped = cri.waitFor(cri.pods.get(pod.id), ({ state }) => state === PodSandboxState.SANDBOX_NOTREADY);
    await sleep(100);
    await container.start();
    expect(await running).toMatchObject({ id: container.id, state: ContainerState.CONTAINER_RUNNING });
    await pod.stop();
    expect(await stopped).toMatchObject({ id: pod.id, state: PodSandboxState.SANDBOX_NOTREADY });
  });

  test("starts no watch if the status already matches", async () => {
    const { runtime, cri, container } = await withContainer();
    runtime.clearCalls();
    await cri.waitFor(container, () => true);
    expect(runtime.calls.map(({ rpc }) => rpc)).toEqual(["ContainerStatus"]);
  });

  test("rejects at its limit, on abort, on removal, on errors of the predicate and on invalid targets", async () => {
    const { runtime, cri, pod, container } = await withContainer();
    const never = () => false;
    expect(await rejection(cri.waitFor(container, never, { timeoutMs: 80 }))).toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
    const abort = new AbortController();
    const aborted = rejection(cri.waitFor(container, never, { signal: abort.signal }));
    await sleep(50);
    abort.abort(new Error("enough"));
    expect(await aborted).toBe(abort.signal.reason);
    const thrown = new Error("from the predicate");
    const throwing = cri.waitFor(container, () => {
      throw thrown;
    });
    expect(await rejection(throwing)).toBe(thrown);
    const removed = rejection(cri.waitFor(container, never));
    await container.remove();
    expect(await removed).toMatchObject({ code: "NOT_FOUND" });
    expect(await rejection(cri.waitFor("id" as never, never))).toMatchObject({ code: "INVALID_INPUT" });
    const closing = rejection(cri.waitFor(pod, never));
    await sleep(50);
    await cri.close();
    expect(await closing).toMatchObject({ code: "CLIENT_CLOSED" });
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("reports an exit from the runtime's event, while lists hang and after the container was removed", async () => {
    const { runtime, cri, container } = await withContainer();
    await container.start();
    const exit = container.wait();
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    await sleep(200);
    runtime.hangNext("ListContainers", { times: Number.POSITIVE_INFINITY });
    runtime.hangNext("StreamContainers", { times: Number.POSITIVE_INFINITY });
    await container.stop({ gracePeriodSeconds: 0 });
    await container.remove();
    expect(await exit).toMatchObject({ exitCode: 137 });
    await cri.close();
  });

  test("rejects with NOT_FOUND at once if the container exits without a match and is removed", async () => {
    const { runtime, cri, container } = await withContainer();
    await container.start();
    const seen: ContainerState[] = [];
    const failed = rejection(
      cri.waitFor(container, ({ state, exitCode }) => {
        seen.push(state);
        return exitCode === 99;
      }),
    );
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    await sleep(200);
    // The exit and the removal complete before the next list.
    runtime.delayNext("ListContainers", 300);
    runtime.delayNext("StreamContainers", 300);
    await container.remove();
    const startedAt = performance.now();
    expect(await failed).toMatchObject({ code: "NOT_FOUND" });
    // Relists are up to 10 s apart.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(seen).toContain(ContainerState.CONTAINER_EXITED);
  });

  test("continues after a restart of the runtime", async () => {
    const { runtime, cri, container } = await withContainer();
    await container.start();
    const exit = cri.waitFor(container, ({ state }) => state === ContainerState.CONTAINER_EXITED);
    await sleep(100);
    await runtime.kill();
    await sleep(300);
    await runtime.restart({ containers: "lost" });
    expect(await exit).toMatchObject({ exitCode: 255 });
  });

  test("many waits share one poll", async () => {
    const { runtime, cri, pod } = await withContainer({ flavor: "containerd-1.7" });
    const containers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        cri.runContainerInSandbox(pod, { name: `w${index}`, image, command: ["sleep", "1000"] }),
      ),
    );
    runtime.clearCalls();
    const waits = Promise.all(containers.map((container) => container.wait()));
    await sleep(1_500);
    expect(runtime.callsOf("ListContainers").length).toBeLessThan(12);
    await Promise.all(containers.map((container) => container.stop({ gracePeriodSeconds: 0 })));
    expect((await waits).map(({ exitCode }) => exitCode)).toEqual(containers.map(() => 137));
    // Each wait reads the status at its start, after it joins the watch, and after the exit.
    expect(runtime.callsOf("ContainerStatus").length).toBeLessThanOrEqual(3 * containers.length);
  });
});
