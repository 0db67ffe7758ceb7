/** Stats of containers and pods. */
import { toDate } from "k8s-cri-client";
import { expect, test } from "vitest";
import { allOf, criFailureOf, eventually } from "./helpers/expectations.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("stats", (fixture) => {
  const { cri } = fixture;
  const busy = sh("while :; do :; done");

  test("a container's stats contain a growing CPU time, the memory and the writable layer", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), {
      command: busy,
      labels: { usage: "yes" },
    });
    const cpu = async () => (await container.stats()).cpu?.usageCoreNanoSeconds?.value.toNumber() ?? 0;
    const first = await eventually(cpu, (value) => value > 0);
    await eventually(cpu, (value) => value > first);
    const stats = await container.stats();
    expect(stats.attributes).toMatchObject({ id: container.id, labels: { usage: "yes" } });
    expect(stats.memory?.workingSetBytes?.value.toNumber()).toBeGreaterThan(0);
    expect(Math.abs(toDate(stats.cpu!.timestamp)!.getTime() - Date.now())).toBeLessThan(120_000);
    if (fixture.traits.containerStats === "all") expect(stats.writableLayer).toBeDefined();
  });

  test("filters containers by pod, label and id", async () => {
    await using pod = await fixture.hostNetworkPod();
    await using one = await fixture.container(pod, { labels: { n: "1" } });
    await using two = await fixture.container(pod, { labels: { n: "2" } });
    const ids = async (query: Parameters<typeof cri.stats.containers>[0]) =>
      (await cri.stats.containers(query)).map(({ attributes }) => attributes?.id).sort();
    expect(await ids({ pod })).toEqual([one.id, two.id].sort());
    expect(await ids({ pod, labels: { n: "2" } })).toEqual([two.id]);
    expect(await ids({ id: one.id })).toEqual([one.id]);
    expect(await ids({})).toEqual(expect.arrayContaining([one.id, two.id]));
    const iterated = await allOf(cri.stats.iterateContainers({ pod }));
    expect(iterated.map(({ attributes }) => attributes?.id).sort()).toEqual([one.id, two.id].sort());
  });

  if (fixture.traits.podStats !== "none")
    test("a pod's stats contain its network and its containers", async () => {
      await using pod = await fixture.pod({
        labels: { usage: fixture.namespace },
        cgroupParent: `/${fixture.namespace}`,
      });
      await using container = await fixture.container(pod, { command: busy });
      const stats = await eventually(
        () => pod.stats(),
        ({ linux }) => (linux?.containers ?? []).some(({ attributes }) => attributes?.id === container.id),
      );
      expect(stats.attributes?.id).toBe(pod.id);
      expect(stats.linux?.network?.defaultInterface?.name).toBe(fixture.traits.defaultInterface);
      const listed = await cri.stats.pods({ labels: { usage: fixture.namespace } });
      expect(listed.map(({ attributes }) => attributes?.id)).toEqual([pod.id]);
      expect((await cri.stats.pods({ id: pod.id })).map(({ attributes }) => attributes?.id)).toEqual([pod.id]);
      const iterated = await allOf(cri.stats.iteratePods({ id: pod.id }));
      expect(iterated.map(({ attributes }) => attributes?.id)).toEqual([pod.id]);
    });

  if (fixture.traits.podStatsNeedParent)
    test("the error for a pod without a cgroup parent names the remedy", async () => {
      await using pod = await fixture.hostNetworkPod();
      const failure = await criFailureOf(pod.stats());
      expect(failure.message).toContain("cgroupPath is empty");
      expect(failure.message).toContain("run the pod with a cgroupParent");
    });

  test("stats() of an exited container returns its last stats or rejects with a CriError", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), { command: ["/bin/true"] });
    await container.wait();
    const outcome = await container.stats().catch((error: unknown) => error);
    if (outcome instanceof Error) await criFailureOf(Promise.reject(outcome));
    else expect(outcome).toMatchObject({ attributes: { id: container.id } });
  });
});
