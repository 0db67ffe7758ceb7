/** Usage over time. Runtimes are tested one after the other, because each test keeps a core busy. */
import { readFileSync } from "node:fs";
import { CriError, type UsageSnapshot } from "k8s-cri-client";
import { formatUsage } from "k8s-cri-client/prometheus";
import { expect, test } from "vitest";
import { journeys, sh } from "./helpers/journeys.js";
import { contentOf } from "./lab/files.js";
import { processIds } from "./lab/processes.js";

/**
 * Returns a function that measures how long a process has waited for a CPU since the last call, as a share of that time from 0 to
 * 1. A busy loop always runs or waits, so its usage and this share add up to one core.
 */
function cpuWaitShare(mark: string): () => number | undefined {
  let pid: number | undefined;
  let [waitedMs, at] = [Number.NaN, 0];
  return () => {
    pid ??= processIds().find((candidate) => contentOf(`/proc/${candidate}/cmdline`).includes(mark));
    const before = { waitedMs, at };
    waitedMs = Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
    at = performance.now();
    return Number.isNaN(before.waitedMs) ? undefined : (waitedMs - before.waitedMs) / (at - before.at);
  };
}

journeys(
  "usage",
  (fixture) => {
    const { cri } = fixture;
    const find = (snapshot: UsageSnapshot, containerId: string) =>
      snapshot.containers.find(({ id }) => id === containerId) ?? expect.fail("the container has no stats");

    test("reports one core for a busy loop and none for an idle container, with names, memory and network", async () => {
      await using pod = await fixture.pod({
        cgroupParent: `/${fixture.namespace}`,
        labels: { usage: fixture.namespace },
      });
      const mark = `busy-in-${fixture.namespace}`;
      const busy = { command: sh(`while :; do :; done # ${mark}`), resources: { limits: { memory: "64Mi" } } };
      await using loop = await fixture.container(pod, busy);
      await using idle = await fixture.container(pod);

      const waitShare = cpuWaitShare(mark);
      const seen: { cores: number | undefined; waiting: number | undefined }[] = [];
      let last: UsageSnapshot | undefined;
      const deadline = Date.now() + 60_000;
      for await (last of cri.stats.watch({ labels: { usage: fixture.namespace }, intervalMs: 1_000 })) {
        const { cores } = find(last, loop.id).cpu ?? {};
        const waiting = waitShare();
        seen.push({ cores, waiting });
        if (cores !== undefined && Math.abs(cores + (waiting ?? 0) - 1) < 0.15) break;
        if (Date.now() > deadline) expect.fail(`expected about one core, got ${JSON.stringify(seen)}`);
      }
      expect(seen[0]?.cores).toBeUndefined();
      const snapshot = last ?? expect.fail("no snapshot");

      const usage = find(snapshot, loop.id);
      expect(usage.cpu?.percent).toBe((usage.cpu?.cores ?? 0) * 100);
      expect(usage.pod).toMatchObject({ id: pod.id, name: pod.config.metadata?.name, namespace: fixture.namespace });
      expect(usage).toMatchObject({ name: loop.config.metadata?.name, attempt: 0 });
      const named = await cri.images.get(usage.image?.reference ?? "");
      expect(named?.id).toBe((await cri.images.get(fixture.image))?.id);
      const complete = fixture.traits.containerStats === "all";
      expect(usage.memory?.limitBytes).toBe(complete ? 64 * 2 ** 20 : undefined);
      expect(usage.memory?.workingSetBytes).toBeGreaterThan(0);
      if (complete) expect(usage.filesystem?.usedBytes).toBeGreaterThanOrEqual(0);

      const quiet = find(snapshot, idle.id);
      expect(quiet.cpu?.cores).toBeLessThan(0.1);
      expect(quiet.memory?.limitBytes).toBeUndefined();

      const limit = new RegExp(`^container_spec_memory_limit_bytes\\{.*id="${loop.id}".*\\} 67108864 \\d+$`, "m");
      if (complete) expect(formatUsage(snapshot)).toMatch(limit);
      else expect(formatUsage(snapshot)).not.toContain("container_spec_memory_limit_bytes");

      if (fixture.traits.podStats !== "all") return;
      expect(snapshot.podStatsError).toBeUndefined();
      expect(snapshot.pods.map(({ id }) => id)).toEqual([pod.id]);
      expect(snapshot.pods[0]?.containers).toHaveLength(2);
      expect(snapshot.pods[0]?.cpu?.cores).toBeGreaterThan((usage.cpu?.cores ?? 0) * 0.5);
      expect(snapshot.pods[0]?.memory?.workingSetBytes).toBeGreaterThan(0);
      expect(snapshot.pods[0]?.processCount).toBeGreaterThanOrEqual(2);
      expect(snapshot.pods[0]?.network?.[0]).toMatchObject({ name: "eth0", rxBytesPerSecond: expect.any(Number) });
    });

    if (fixture.traits.podStatsNeedParent)
      test("a pod without a cgroup parent has no usage, but its containers have", async () => {
        await using pod = await fixture.hostNetworkPod();
        await using container = await fixture.container(pod);
        const snapshot = await cri.stats.snapshot({ pod });
        expect(snapshot.podStatsError).toSatisfy((error) => CriError.is(error, "UNKNOWN"));
        expect(snapshot.pods).toMatchObject([
          { id: pod.id, namespace: fixture.namespace, cpu: undefined, stats: undefined },
        ]);
        expect(find(snapshot, container.id).memory?.workingSetBytes).toBeGreaterThan(0);
      });
  },
  { sequential: true },
);
