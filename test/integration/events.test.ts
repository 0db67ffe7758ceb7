import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ContainerState, CriClient, type CriEvent, type EventStream, PodSandboxState } from "../../src/index.js";
import { toNanoseconds } from "../../src/internal/time.js";
import type { FakeRuntimeOptions } from "../../src/testing/index.js";
import { nowhere } from "../support/platform.js";
import { rejection, startFake } from "./support.js";

const image = "busybox:1";

/** Reads a stream to its end, and keeps what it brings. */
function collect(stream: EventStream) {
  const events: CriEvent[] = [];
  const done = (async () => {
    for await (const event of stream) events.push(event);
  })();
  done.catch(() => {});
  onTestFinished(() => stream.close());
  return { events, done, types: () => events.map(({ type }) => type) };
}

async function watched(options: FakeRuntimeOptions = {}, initial = false) {
  const fake = await startFake(options);
  const stream = fake.cri.events({ initial });
  const reading = collect(stream);
  await stream.ready;
  return { ...fake, stream, ...reading };
}

const life = [
  "podAdded",
  "containerAdded",
  "containerStarted",
  "containerExited",
  "podUpdated",
  "containerRemoved",
  "podRemoved",
];

describe("events", () => {
  test.each([
    ["containerd-1.6", {}, "list"],
    ["containerd-1.7", {}, "list"],
    ["containerd-2", {}, "events"],
    ["cri-o", {}, "list"],
    ["cri-o", { events: "broadcast" }, "events"],
  ] as const)("tell the life of a pod and its container once, on %s %j by %s", async (flavor, options, source) => {
    const { cri, stream, events, types } = await watched({ flavor, ...options });
    const until = (count: number) => expect.poll(types, { timeout: 5_000 }).toEqual(life.slice(0, count));
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
    expect(types()).toEqual(life);
  });

  test("know what came and went between two looks, where the runtime tells", async () => {
    const { cri, runtime, events, types } = await watched();
    runtime.delayNext("ListContainers", 400);
    runtime.delayNext("StreamContainers", 400);
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image, command: ["sh", "-c", "exit 3"] });
    await container.wait();
    await pod.remove();
    // The runtime's events may reach a busy client behind its lists: the pod's end is then told before what they show.
    const told = () => types().filter((type) => type !== "podUpdated");
    await expect
      .poll(() => told().sort(), { timeout: 5_000 })
      .toEqual(life.filter((type) => type !== "podUpdated").sort());
    expect(events.find(({ type }) => type === "containerExited")).toMatchObject({ exitCode: 3 });
  });

  test("do not repeat what happened before", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "gone" });
    await pod.remove();
    const stream = cri.events();
    const { types } = collect(stream);
    await stream.ready;
    await sleep(300);
    expect(types()).toEqual([]);
  });

  test("do not repeat a long history either", async () => {
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

  test("are complete in virtual time, which stands still", async () => {
    const { cri, runtime, events } = await watched({ time: "virtual" });
    const pod = await cri.pods.run({ name: "p" });
    const container = await pod.runContainer({ name: "c", image, command: ["sh", "-c", "exit 3"] });
    await container.stop();
    await container.remove();
    await runtime.advanceTime(1);
    await expect
      .poll(() => events, { timeout: 5_000 })
      .toContainEqual(expect.objectContaining({ type: "containerExited", exitCode: 3 }));
  });

  test("begin with what is there, if asked to", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    for await (const event of cri.events({ initial: true })) {
      expect(event).toMatchObject({ type: "resync", reason: "initial", pods: new Map([[pod.id, { id: pod.id }]]) });
      break;
    }
  });

  test.each(["events", "list"] as const)("go on after a restart, and say that there was a gap: %s", async (source) => {
    const { runtime, cri } = await startFake({}, { watch: { source, pollMs: 200 } });
    const stream = cri.events();
    const { events, types } = collect(stream);
    await stream.ready;
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image, command: ["sleep", "1000"] });
    await expect.poll(types, { timeout: 5_000 }).toEqual(life.slice(0, 3));
    await runtime.kill();
    await sleep(500);
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
  });

  test("ask anew which runtime it is when it comes back", async () => {
    const { runtime, stream, types } = await watched();
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

  test("that nobody reads become one resync", async () => {
    const { runtime, cri } = await startFake();
    const stream = cri.events();
    await stream.ready;
    const pod = await cri.pods.run({ name: "p" });
    const reader = stream[Symbol.asyncIterator]();
    expect((await reader.next()).value).toMatchObject({ type: "podAdded" });
    await using view = cri.watch();
    await view.ready;
    // For one look there are many containers, for the next one there is none.
    const containers = Array.from({ length: 700 }, (_, index) => ({ id: `c${index}`, podSandboxId: pod.id }));
    let removed = 0;
    view.on("containerRemoved", () => removed++);
    runtime.respondNext("ListContainers", { containers });
    await expect.poll(() => removed, { timeout: 15_000 }).toBe(700);
    const { value } = await reader.next();
    expect(value).toMatchObject({ type: "resync", reason: "overflow", containers: new Map() });
    await pod.remove();
    expect((await reader.next()).value).toMatchObject({ type: "podRemoved" });
    await stream.close();
  });

  test("keep hands off containerd 1.7's own, unless told otherwise", async () => {
    const { runtime } = await watched({ flavor: "containerd-1.7" });
    expect(runtime.callsOf("GetContainerEvents")).toHaveLength(0);
    await using cri = CriClient.lazy({ endpoint: runtime.endpoint, watch: { source: "events" } });
    const stream = cri.events();
    await stream.ready;
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    expect(stream.source).toBe("events");
  });

  test("come from lists where the runtime has none after all", async () => {
    const { runtime, cri } = await startFake({ flavor: "containerd-1.6" }, { watch: { source: "events" } });
    const stream = cri.events();
    const { types } = collect(stream);
    await stream.ready;
    await cri.pods.run({ name: "p" });
    await expect.poll(types, { timeout: 5_000 }).toEqual(["podAdded"]);
    expect(stream.source).toBe("list");
    expect(runtime.callsOf("GetContainerEvents")).toHaveLength(1);
  });

  test("can be left to lists", async () => {
    const { runtime, cri } = await startFake({}, { watch: { source: "list" } });
    const stream = cri.events();
    await stream.ready;
    expect(stream.source).toBe("list");
    expect([runtime.callsOf("GetContainerEvents"), runtime.callsOf("Version")]).toEqual([[], []]);
  });

  test("ask less and less often while nothing happens", async () => {
    const { runtime } = await watched();
    await sleep(2_500);
    const looks = runtime.callsOf("ListContainers").length;
    expect(looks).toBeLessThan(12);
    await sleep(1_000);
    expect(runtime.callsOf("ListContainers").length - looks).toBeLessThanOrEqual(1);
  });

  test.each([{ source: "both" }, { pollMs: 0 }, { relistMs: Number.NaN }])("refuse the settings %j", (watch) => {
    expect(() => CriClient.lazy({ endpoint: nowhere, watch: watch as never })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", field: `watch.${Object.keys(watch)[0]}` }),
    );
  });
});

describe("the end of a stream", () => {
  test("leaving the loop, closing, aborting: none leaves a subscriber or a timer", async () => {
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

  test("a signal ends one that began and is not read", async () => {
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

  test.each(["close", "signal", "client"] as const)("ready begins nothing after the end: %s", async (how) => {
    const { runtime, cri } = await startFake();
    const abort = new AbortController();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    onTestFinished(() => void process.off("unhandledRejection", unhandled));
    const [fresh, begun] = [cri.events({ signal: abort.signal }), cri.events({ signal: abort.signal })];
    await begun.ready;
    if (how === "close") await Promise.all([fresh.close(), begun.close()]);
    else if (how === "signal") abort.abort(new Error("enough"));
    else await cri.close();
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
    runtime.clearCalls();
    void fresh.ready;
    for (const stream of [fresh, begun]) {
      const reason = await rejection(stream.ready);
      if (how === "signal") expect(reason).toBe(abort.signal.reason);
      else expect(reason).toMatchObject({ code: how === "close" ? "CANCELLED" : "CLIENT_CLOSED" });
      await stream.close();
      expect(await rejection(stream.ready)).toBe(reason);
    }
    await sleep(300);
    expect([runtime.calls, runtime.eventSubscribers, fresh.source]).toEqual([[], 0, undefined]);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test("closing rejects a ready that is waited for", async () => {
    const { runtime, cri } = await startFake();
    runtime.delayNext("Version", 500);
    const stream = cri.events();
    const reason = rejection(stream.ready);
    await stream.close();
    expect(await reason).toMatchObject({ code: "CANCELLED" });
  });

  test("a signal for many of them keeps no listener", async () => {
    const { cri } = await startFake();
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round++) {
      for await (const _ of cri.events({ signal, initial: true })) break;
      await using view = cri.watch({ signal });
      await view.ready;
    }
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("one stream is shared by all, and ends with the last", async () => {
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

  test("closing the client fails whoever reads", async () => {
    const { cri, stream, done } = await watched();
    await cri.close();
    expect(await rejection(done)).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(await rejection(cri.events().ready)).toMatchObject({ code: "CLIENT_CLOSED" });
    await stream.close();
  });

  test.each(["events", "watch"] as const)("%s wait for a runtime that is not up yet, on request", async (what) => {
    const { runtime, cri } = await startFake({}, { watch: { pollMs: 100 } });
    await runtime.kill();
    const stream = what === "events" ? cri.events({ waitForRuntime: true }) : cri.watch({ waitForRuntime: true });
    const begun = vi.fn();
    void stream.ready.then(begun);
    await sleep(500);
    expect(begun).not.toHaveBeenCalled();
    await runtime.restart();
    await stream.ready;
    await stream.close();
    runtime.failNext("Version", { code: "INTERNAL" });
    const unlucky = cri.watch({ waitForRuntime: true });
    await unlucky.ready;
    await unlucky.close();
    const closed = cri.watch({ waitForRuntime: true });
    await cri.close();
    expect(await rejection(closed.ready)).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test.each([{ timeoutMs: 200 }, { deadline: 200 }])("a time limit ends events and a view: %j", async (limit) => {
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

  test("a runtime that does not answer at the beginning is an error, also next to a watch that waits for it", async () => {
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
  test("keeps pods and containers in memory, and finds them", async () => {
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

  test("calls back", async () => {
    const { cri } = await startFake();
    await using view = cri.watch();
    const told: string[] = [];
    view.on("resync", ({ reason }) => told.push(reason));
    view.on("podAdded", ({ pod }) => told.push(`${pod.metadata?.name} ${view.pods.has(pod.id)}`));
    view.on("containerExited", ({ exitCode }) => told.push(`exit ${exitCode}`));
    view.on("podRemoved", ({ pod }) => told.push(`gone ${view.pods.has(pod.id)}`));
    const stop = view.on("containerAdded", () => told.push("never"));
    stop();
    await view.ready;
    const pod = await cri.pods.run({ name: "p" });
    await cri.runContainerInSandbox(pod, { name: "c", image, command: ["sh", "-c", "exit 4"] });
    await expect.poll(() => told, { timeout: 5_000 }).toEqual(["initial", "p true", "exit 4"]);
    await pod.remove();
    await expect.poll(() => told, { timeout: 5_000 }).toContain("gone false");
    await view.close();
    await cri.pods.run({ name: "q" });
    await sleep(200);
    expect(told).toHaveLength(4);
  });

  test("shows what was there while the runtime is away, and goes on", async () => {
    const warnings: string[] = [];
    const { runtime, cri } = await startFake({}, { logger: { warn: (message) => warnings.push(message) } });
    const pod = await cri.pods.run({ name: "p" });
    await using view = cri.watch();
    await view.ready;
    await runtime.kill();
    await sleep(500);
    expect(view.pods.has(pod.id)).toBe(true);
    expect(warnings).toEqual(["pods and containers could not be listed; the watch keeps retrying"]);
    await runtime.restart({ keepState: false });
    await expect.poll(() => view.pods.size, { timeout: 10_000 }).toBe(0);
  });

  test("ends with its signal", async () => {
    const { runtime, cri } = await startFake();
    const abort = new AbortController();
    const view = cri.watch({ signal: abort.signal });
    await view.ready;
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    abort.abort();
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
    await view.closed;
  });

  test.each(["signal", "client"] as const)("is over from the start, without a call: %s", async (how) => {
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
  });

  test.each(["close", "signal", "client"] as const)(
    "tells that it ended, and keeps what it showed: %s",
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

  test("tells that it ended where the runtime did not answer", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "INTERNAL" });
    const view = cri.watch();
    await view.closed;
    expect(await rejection(view.ready)).toMatchObject({ code: "INTERNAL" });
  });

  test("says nothing of a runtime that is away when the client is closed in the middle of a look", async () => {
    const warn = vi.fn();
    const { runtime, cri } = await startFake({}, { logger: { warn }, watch: { pollMs: 50, source: "list" } });
    const view = cri.watch();
    await view.ready;
    runtime.clearCalls();
    runtime.delayNext("ListContainers", 1_000);
    runtime.delayNext("StreamContainers", 1_000);
    await expect.poll(() => runtime.calls.length).toBe(1);
    await cri.close();
    await view.closed;
    await sleep(50);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("waitFor", () => {
  async function withContainer(options: FakeRuntimeOptions = {}) {
    const { runtime, cri } = await startFake(options);
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.createContainerInSandbox(pod, { name: "c", image, command: ["sleep", "1000"] });
    return { runtime, cri, pod, container };
  }

  test.each(["containerd-1.6", "containerd-2"] as const)("a container and a pod, on %s", async (flavor) => {
    const { cri, pod, container } = await withContainer({ flavor });
    const running = cri.waitFor(container, ({ state }) => state === ContainerState.CONTAINER_RUNNING);
    const stopped = cri.waitFor(cri.pods.get(pod.id), ({ state }) => state === PodSandboxState.SANDBOX_NOTREADY);
    await sleep(100);
    await container.start();
    expect(await running).toMatchObject({ id: container.id, state: ContainerState.CONTAINER_RUNNING });
    await pod.stop();
    expect(await stopped).toMatchObject({ id: pod.id, state: PodSandboxState.SANDBOX_NOTREADY });
  });

  test("what is so already opens no watch", async () => {
    const { runtime, cri, container } = await withContainer();
    runtime.clearCalls();
    await cri.waitFor(container, () => true);
    expect(runtime.calls.map(({ rpc }) => rpc)).toEqual(["ContainerStatus"]);
  });

  test("limits, cancellation, removal, nonsense", async () => {
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

  test("an exit is reported by the runtime's event, ahead of a slow list, and if the container is removed in between", async () => {
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

  test("a container that exits otherwise than wanted and is removed is NOT_FOUND at once", async () => {
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
    // Both are over before the watch lists again.
    runtime.delayNext("ListContainers", 300);
    runtime.delayNext("StreamContainers", 300);
    await container.remove();
    const startedAt = performance.now();
    expect(await failed).toMatchObject({ code: "NOT_FOUND" });
    // Not after the ten seconds between two looks of its own.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(seen).toContain(ContainerState.CONTAINER_EXITED);
  });

  test("a runtime that goes away meanwhile is waited for", async () => {
    const { runtime, cri, container } = await withContainer();
    await container.start();
    const exit = cri.waitFor(container, ({ state }) => state === ContainerState.CONTAINER_EXITED);
    await sleep(100);
    await runtime.kill();
    await sleep(300);
    await runtime.restart({ containers: "lost" });
    expect(await exit).toMatchObject({ exitCode: 255 });
  });

  test("many wait without a poll of their own", async () => {
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
    // The first look, one after joining, and one that all share for an exit.
    expect(runtime.callsOf("ContainerStatus").length).toBeLessThanOrEqual(3 * containers.length);
  });
});
