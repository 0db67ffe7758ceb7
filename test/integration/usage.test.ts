/** cri.stats.snapshot(), cri.stats.watch(), and the metrics from them. */
import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { CriError, InvalidInputError, type UsageSnapshot } from "../../src/index.js";
import { formatMetrics, formatUsage } from "../../src/prometheus/index.js";
import { Long } from "../../src/proto.js";
import { rejection, startFake } from "./support.js";

const image = "busybox:1";
/** containerd reports stats of pods that have a cgroup parent. */
const shop = { namespace: "shop", cgroupParent: "/shop" };

/** Starts a fake with two pods, which have one and two containers. */
async function startBusy(...options: Parameters<typeof startFake>) {
  const { runtime, cri } = await startFake(...options);
  const one = await cri.pods.run({ name: "one", labels: { tier: "front" }, ...shop });
  const two = await cri.pods.run({ name: "two", labels: { tier: "back" }, ...shop });
  const limits = { memory: "64Mi" };
  const web = await one.runContainer({ name: "web", image, labels: { a: "b" }, resources: { limits } });
  const api = await two.runContainer({ name: "api", image });
  const cache = await two.runContainer({ name: "cache", image });
  runtime.clearCalls();
  return { runtime, cri, one, two, web, api, cache };
}

const namesOf = ({ pods, containers }: UsageSnapshot) => ({
  pods: pods.map(({ name }) => name).sort(),
  containers: containers.map(({ name }) => name).sort(),
});

describe("a snapshot", () => {
  test("joins containers to their pods and images", async () => {
    const { cri, one, web } = await startBusy();
    const { at, containers, pods, podStatsError } = await cri.stats.snapshot();
    expect(Math.abs(at.getTime() - Date.now())).toBeLessThan(5_000);
    expect(podStatsError).toBeUndefined();
    const usage = containers.find(({ id }) => id === web.id);
    expect(usage).toMatchObject({
      ...{ name: "web", attempt: 0, labels: { a: "b" } },
      pod: { id: one.id, name: "one", namespace: "shop", labels: { tier: "front" } },
      image: { reference: image },
      memory: { limitBytes: 64 * 2 ** 20 },
      swap: { usedBytes: 0 },
      filesystem: { usedBytes: 8_192, inodesUsed: 3 },
      ioPressure: undefined,
    });
    expect(usage?.cpu).toEqual({ cores: undefined, percent: undefined, pressure: undefined });
    expect(usage?.stats.cpu?.usageCoreNanoSeconds?.value).toBeInstanceOf(Long);
    const pod = pods.find(({ id }) => id === one.id);
    expect(pod).toMatchObject({ name: "one", namespace: "shop", processCount: 2, containers: [{ id: web.id }] });
    expect(pod?.containers[0]).toBe(usage);
    expect(pod?.network?.[0]).toMatchObject({ name: "eth0", rxBytesPerSecond: undefined });
  });

  test("leaves out exited containers, and entries without an id", async () => {
    const warn = vi.fn();
    const { runtime, cri, web, api, cache } = await startBusy({}, { logger: { warn } });
    await web.stop({ gracePeriodSeconds: 0 });
    await cache.stop({ gracePeriodSeconds: 0 });
    expect((await cri.stats.containers()).map(({ attributes }) => attributes?.id)).toContain(web.id);
    runtime.respondNext("ListContainerStats", ({ stats = [] }) => ({ stats: [{}, ...stats] }));
    const { containers, pods } = await cri.stats.snapshot();
    expect(containers.map(({ id }) => id)).toEqual([api.id]);
    expect(pods.flatMap(({ containers }) => containers)).toEqual(containers);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining("without an id"),
      expect.objectContaining({ omitted: 1 }),
    );
  });

  test("can be limited to one pod, or to pods by label", async () => {
    const { cri, one, two } = await startBusy();
    expect(namesOf(await cri.stats.snapshot())).toEqual({ pods: ["one", "two"], containers: ["api", "cache", "web"] });
    expect(namesOf(await cri.stats.snapshot({ pod: one }))).toEqual({ pods: ["one"], containers: ["web"] });
    const back = { pods: ["two"], containers: ["api", "cache"] };
    expect(namesOf(await cri.stats.snapshot({ labels: { tier: "back" } }))).toEqual(back);
    expect(namesOf(await cri.stats.snapshot({ pod: two.id, labels: { tier: "back" } }))).toEqual(back);
    expect(namesOf(await cri.stats.snapshot({ labels: { tier: "none" } }))).toEqual({ pods: [], containers: [] });
  });

  test("resolves the names of images that containers refer to by id", async () => {
    const { runtime, cri } = await startFake({ flavor: "containerd-1.6" });
    const pod = await cri.pods.run({ name: "pod" });
    const id = runtime.images[0]?.id ?? "";
    await pod.runContainer({ name: "main", image: id });
    expect((await cri.stats.snapshot()).containers[0]?.image).toEqual({
      id,
      reference: "docker.io/library/busybox:1",
    });
    runtime.failNext("ListImages", { code: "INTERNAL" });
    expect((await cri.stats.snapshot()).containers[0]?.image).toEqual({
      id,
      reference: expect.stringContaining("@sha256:"),
    });
  });

  test("contains containers even if the runtime rejects the stats of pods", async () => {
    const { runtime, cri } = await startBusy();
    runtime.failNext("ListPodSandboxStats", { code: "UNKNOWN", message: "cgroupPath is empty" });
    const snapshot = await cri.stats.snapshot();
    expect(namesOf(snapshot)).toEqual({ pods: ["one", "two"], containers: ["api", "cache", "web"] });
    expect(snapshot.podStatsError?.message).toContain("run the pod with a cgroupParent");
    for (const pod of snapshot.pods) {
      expect(pod).toMatchObject({ cpu: undefined, memory: undefined, network: undefined, processCount: undefined });
      expect(pod).toMatchObject({ stats: undefined, namespace: "shop" });
    }
    expect(formatUsage(snapshot)).toContain("resource_scrape_error 1\n");
  });

  test.each([
    ["2.1.9", "cgroupPath is empty"],
    ["2.4.0-beta.0", "has no cgroup parent"],
  ])("names the remedy for a pod without a cgroup parent on containerd %s", async (runtimeVersion, reason) => {
    const { cri } = await startFake({ version: { runtimeVersion } });
    const pod = await cri.pods.run({ name: "bare" });
    const { podStatsError } = await cri.stats.snapshot();
    for (const error of [podStatsError, await rejection(pod.stats())]) {
      expect(String(error)).toContain(reason);
      expect(String(error)).toContain("run the pod with a cgroupParent");
    }
  });

  test("rejects like any call", async () => {
    const { runtime, cri } = await startBusy();
    runtime.failNext("ListContainerStats", { code: "INTERNAL" });
    expect(await rejection(cri.stats.snapshot())).toSatisfy((error) => CriError.is(error, "INTERNAL"));
    expect(await rejection(cri.stats.snapshot({ pod: "" }))).toBeInstanceOf(InvalidInputError);
    expect(await rejection(cri.stats.snapshot({ signal: AbortSignal.abort("enough") }))).toBe("enough");
    await cri.close();
    expect(await rejection(cri.stats.snapshot())).toSatisfy((error) => CriError.is(error, "CLIENT_CLOSED"));
  });
});

describe("a watch", () => {
  const take = async (stream: AsyncIterable<UsageSnapshot>, count: number) => {
    const taken: UsageSnapshot[] = [];
    for await (const snapshot of stream) if (taken.push(snapshot) === count) break;
    return taken;
  };

  test("has no rates at first, and then those since the previous snapshot", async () => {
    const { cri, web } = await startBusy();
    const [first, second] = await take(cri.stats.watch({ intervalMs: 100 }), 2);
    expect(first?.containers.every(({ cpu }) => cpu?.cores === undefined)).toBe(true);
    const usage = second?.containers.find(({ id }) => id === web.id);
    const expectedCores = (usage?.stats.cpu?.usageNanoCores?.value.toNumber() ?? 0) / 1e9;
    expect(usage?.cpu?.cores).toBeCloseTo(expectedCores, 2);
    expect(usage?.cpu?.percent).toBeCloseTo(expectedCores * 100, 0);
    const pod = second?.pods.find(({ name }) => name === "one");
    expect(pod?.cpu?.cores).toBeCloseTo(expectedCores, 2);
    expect(pod?.network?.[0]?.rxBytesPerSecond).toBeGreaterThan(900);
    expect(pod?.network?.[0]?.rxBytesPerSecond).toBeLessThan(1_100);
  });

  test("looks up names only of new objects, and drops removed ones", async () => {
    const { runtime, cri, two, cache } = await startBusy();
    const seen: string[][] = [];
    let late = 0;
    for await (const snapshot of cri.stats.watch({ intervalMs: 5 })) {
      seen.push(namesOf(snapshot).containers);
      if (seen.length === 3) await cache.remove();
      if (seen.length === 5) await two.runContainer({ name: "late", image });
      if (seen.length < 7) continue;
      late = snapshot.containers.filter(({ name, pod }) => name === "late" && pod?.name === "two").length;
      break;
    }
    const before = ["api", "cache", "web"];
    const after = ["api", "late", "web"];
    expect(seen).toEqual([before, before, before, ["api", "web"], ["api", "web"], after, after]);
    expect(late).toBe(1);
    expect(runtime.callsOf("ListPodSandbox")).toHaveLength(2);
    expect(runtime.callsOf("ListContainerStats")).toHaveLength(7);
  });

  test("keeps a rate while the runtime repeats a measurement", async () => {
    const { runtime, cri, web } = await startBusy();
    const second = 1_000_000_000;
    for (const [at, used] of [
      [1, 5],
      [3, 6],
      [3, 6],
      [4, 2],
      [5, 3],
    ] as const) {
      runtime.respondNext("ListContainerStats", ({ stats = [] }) => ({
        stats: stats
          .filter(({ attributes }) => attributes?.id === web.id)
          .map((entry) => ({
            ...entry,
            cpu: { timestamp: at * second, usageCoreNanoSeconds: { value: used * second } },
          })),
      }));
    }
    const cores = (await take(cri.stats.watch({ intervalMs: 5 }), 5)).map(
      ({ containers }) => containers[0]?.cpu?.cores,
    );
    // The counter was reset, so there is no rate for that sample.
    expect(cores).toEqual([undefined, 0.5, 0.5, undefined, 1]);
  });

  test("starts samples at the interval, and gives a slow consumer a fresh sample", async () => {
    const { runtime, cri } = await startBusy();
    runtime.delayNext("ListContainerStats", 60, { times: 3 });
    const startedAt = performance.now();
    await take(cri.stats.watch({ intervalMs: 100 }), 3);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(255);

    runtime.clearCalls();
    let count = 0;
    let awaitedAt = Date.now();
    for await (const { at } of cri.stats.watch({ intervalMs: 5 })) {
      expect(at.getTime()).toBeGreaterThanOrEqual(awaitedAt);
      if (++count === 3) break;
      await sleep(100);
      awaitedAt = Date.now();
    }
    expect(runtime.callsOf("ListContainerStats")).toHaveLength(3);
  });

  test("continues after the runtime was down, and reports the missed samples", async () => {
    const { runtime, cri } = await startBusy();
    const missed: CriError[] = [];
    const counts: number[] = [];
    const watch = cri.stats.watch({ intervalMs: 20, retry: false, onMissed: (error) => missed.push(error) });
    for await (const { containers } of watch) {
      counts.push(containers.length);
      if (counts.length === 3) break;
      if (counts.length === 1) {
        await runtime.kill();
        setTimeout(() => void runtime.restart(), 200);
      }
    }
    expect(counts).toEqual([3, 3, 3]);
    expect(missed.length).toBeGreaterThan(3);
    expect(missed.every(({ code }) => code === "UNAVAILABLE")).toBe(true);
  });

  test("rejects if the first sample fails, or three in a row with a permanent error", async () => {
    const { runtime, cri } = await startBusy();
    runtime.failNext("ListContainerStats", { code: "UNAVAILABLE", times: 3 });
    expect(await rejection(take(cri.stats.watch(), 1))).toSatisfy((error) => CriError.is(error, "UNAVAILABLE"));

    const missed: CriError[] = [];
    const watch = cri.stats.watch({ intervalMs: 5, onMissed: (error) => missed.push(error) });
    const counts: number[] = [];
    const read = async () => {
      for await (const _ of watch) {
        const times = [2, 3][counts.push(missed.length) - 1];
        runtime.failNext("ListContainerStats", { code: "INTERNAL", times });
      }
    };
    expect(await rejection(read())).toSatisfy((error) => CriError.is(error, "INTERNAL"));
    expect(counts).toEqual([0, 2]);
    expect(missed).toHaveLength(4);
  });

  test("waits for a runtime that is down with waitForRuntime, and ends at its deadline", async () => {
    const { runtime, cri } = await startBusy();
    runtime.failNext("ListContainerStats", { code: "UNAVAILABLE", times: 2 });
    const options = { intervalMs: 20, retry: false, waitForRuntime: true } as const;
    expect(await take(cri.stats.watch(options), 1)).toHaveLength(1);
    const counts: number[] = [];
    const read = async () => {
      for await (const { containers } of cri.stats.watch({ intervalMs: 20, timeoutMs: 300 }))
        counts.push(containers.length);
    };
    expect(await rejection(read())).toSatisfy((error) => CriError.is(error, "DEADLINE_EXCEEDED"));
    expect(() => cri.stats.watch({ timeoutMs: -1 })).toThrow(/timeoutMs/);
  });

  test("reports a sample that takes longer than sampleTimeoutMs as missed", async () => {
    const { runtime, cri } = await startBusy();
    const missed: string[] = [];
    const onMissed = ({ code }: CriError) => missed.push(code);
    let count = 0;
    for await (const _ of cri.stats.watch({ intervalMs: 10, sampleTimeoutMs: 2_000, onMissed })) {
      if (++count === 2) break;
      runtime.hangNext("ListContainerStats");
    }
    expect(missed).toEqual(["DEADLINE_EXCEEDED"]);
  });

  test.each([
    ["during a sample", 5],
    ["between samples", 60_000],
  ])("ends at once %s, by close(), abort or closing the client", async (_, intervalMs) => {
    const { runtime, cri } = await startBusy();
    const controller = new AbortController();
    const watching = async (client = cri) => {
      const watch = client.stats.watch({ intervalMs, signal: controller.signal });
      const iterator = watch[Symbol.asyncIterator]();
      await iterator.next();
      if (intervalMs < 60_000) runtime.hangNext("ListContainerStats");
      const next = iterator.next();
      next.catch(() => {});
      await sleep(50);
      return { watch, next };
    };
    const closed = await watching();
    await closed.watch.close();
    expect(await closed.next).toEqual({ done: true, value: undefined });

    const aborted = await watching();
    controller.abort("enough");
    expect(await rejection(aborted.next)).toBe("enough");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);

    const other = cri.with({});
    const orphan = other.stats.watch({ intervalMs })[Symbol.asyncIterator]();
    await orphan.next();
    if (intervalMs < 60_000) runtime.hangNext("ListContainerStats");
    const next = orphan.next();
    setTimeout(() => void other.close(), 50);
    expect(await rejection(next)).toSatisfy((error) => CriError.is(error, "CLIENT_CLOSED"));
  });

  test("rejects invalid options at once", async () => {
    const { runtime, cri } = await startBusy();
    for (const options of [{ intervalMs: 0 }, { intervalMs: Number.NaN }, { sampleTimeoutMs: -1 }, { pod: "" }]) {
      expect(() => cri.stats.watch(options)).toThrow(InvalidInputError);
    }
    expect(runtime.calls).toEqual([]);
  });
});

describe("metrics", () => {
  test("of a snapshot have the names of the kubelet and cAdvisor", async () => {
    const { cri, web } = await startBusy();
    const text = formatUsage(await cri.stats.snapshot());
    const labels = `namespace="shop",pod="one",container="web",id="${web.id}",image="busybox:1"`;
    expect(text).toMatch(new RegExp(`^container_cpu_usage_seconds_total\\{${labels}\\} \\d+\\.\\d{9} \\d{13}$`, "m"));
    expect(text).toContain(`container_spec_memory_limit_bytes{${labels}} 67108864 `);
    expect(text.match(/^container_spec_memory_limit_bytes\{/gm)).toHaveLength(1);
    expect(text).toMatch(/^pod_cpu_usage_seconds_total\{namespace="shop",pod="one",id="\w+"\} \d/m);
    const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(families).size).toBe(families.length);
  });

  test("of the runtime itself can be formatted", async () => {
    const { cri, web } = await startBusy({ flavor: "cri-o" });
    const text = formatMetrics(await cri.stats.metricDescriptors(), await cri.stats.podMetrics());
    expect(text).toContain("# TYPE container_cpu_usage_seconds_total counter\n");
    expect(text).toContain("# TYPE container_memory_working_set_bytes gauge\n");
    expect(text).toMatch(
      new RegExp(`^container_memory_working_set_bytes\\{id="${web.id}",name="web",image="[^"]+"\\} \\d+ \\d{13}$`, "m"),
    );
  });
});
