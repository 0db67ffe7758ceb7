/** The lifecycle of pods and containers, from RunPodSandbox to RemovePodSandbox. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ContainerState, PodSandboxState, toDate } from "k8s-cri-client";
import { describe, expect, test } from "vitest";
import { allOf, eventually, expectCode } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { waitForFile } from "./helpers/in-container.js";
import { journeys, sh } from "./helpers/journeys.js";

const noSuchId = "f".repeat(64);

const hasItems = (count: number) => (list: readonly unknown[]) => list.length === count;

journeys("lifecycle", (fixture) => {
  const { cri, runtime, traits } = fixture;

  test("runs, stops and removes a pod and a container, with the right state after each step", async () => {
    const before = Date.now();
    await using at = await folder();
    await using pod = await fixture.pod({ labels: { app: "steps" } });
    expect(pod.id).toMatch(/^[0-9a-f]{64}$/);
    expect(pod.adopted).toBe(false);
    const running = await pod.status();
    expect(running).toMatchObject({ id: pod.id, state: PodSandboxState.SANDBOX_READY, labels: { app: "steps" } });
    expect(running.network?.ip).toMatch(/^[0-9a-f.:]+$/);
    if (runtime.lab) expect(running.network?.ip.split(".", 2)).toEqual(runtime.lab.subnet.split(".", 2));
    expect(toDate(running.createdAt)?.getTime()).toBeGreaterThan(before - 2_000);

    await using container = await pod.createContainer(
      fixture.containerSpec({
        ...at.inside,
        command: sh("trap 'exit 3' TERM; echo > up; while :; do sleep 0.1; done"),
      }),
    );
    const created = await container.status();
    expect(created.state).toBe(ContainerState.CONTAINER_CREATED);
    expect(toDate(created.startedAt)).toBeUndefined();
    await container.start();
    expect((await container.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
    await waitForFile(container, "up");

    await container.stop({ gracePeriodSeconds: 30 });
    const exited = await container.status();
    expect(exited).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 3, reason: "Error" });
    expect(toDate(exited.finishedAt)!.getTime()).toBeGreaterThanOrEqual(toDate(exited.startedAt)!.getTime());
    if (!traits.startsAgain) await expectCode(container.start(), "FAILED_PRECONDITION");

    await container.remove();
    await expectCode(container.status(), "NOT_FOUND");
    await pod.stop();
    expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_NOTREADY);
    await pod.remove();
    await expectCode(pod.status(), "NOT_FOUND");
  });

  test("accepts a pod name that Kubernetes rejects, if the runtime accepts it", async () => {
    await using pod = await fixture.pod({ name: "under_score" });
    if (traits.anyPodName) expect((await pod.status()).metadata?.name).toBe("under_score");
    else await expectCode(pod.status(), "UNKNOWN");
    expect(await cri.pods.list({ id: pod.id })).toHaveLength(traits.anyPodName ? 1 : 0);
  });

  test("a container that ignores its stop signal is killed after the grace period", async () => {
    await using at = await folder();
    await using container = await fixture.container(await fixture.sharedPod(), {
      ...at.inside,
      command: sh("trap '' TERM; echo > up; while :; do sleep 0.1; done"),
    });
    await waitForFile(container, "up");
    const startedAt = performance.now();
    await container.stop({ gracePeriodSeconds: 1 });
    expect(performance.now() - startedAt).toBeGreaterThan(950);
    expect(await container.status()).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
  });

  test("a grace period of 0 kills at once, and a fraction of a second is rounded up to 1 s", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    await container.stop({ gracePeriodSeconds: 0 });
    expect((await container.status()).exitCode).toBe(137);
    await using at = await folder();
    await using trapping = await fixture.container(await fixture.sharedPod(), {
      ...at.inside,
      command: sh("trap 'exit 4' TERM; echo > up; while :; do sleep 0.05; done"),
    });
    await waitForFile(trapping, "up");
    await trapping.stop({ gracePeriodSeconds: 0.2 });
    // With 0 s, the runtime would have killed the process without a stop signal.
    expect((await trapping.status()).exitCode).toBe(4);
  });

  test("stopping and removing succeed for objects that are already stopped, already removed or never existed", async () => {
    await using pod = await fixture.hostNetworkPod();
    await using container = await fixture.container(pod);
    for (const _ of [1, 2]) await container.stop({ gracePeriodSeconds: 0 });
    for (const _ of [1, 2]) await container.remove();
    await container.stop();
    for (const _ of [1, 2]) await pod.stop();
    for (const _ of [1, 2]) await pod.remove();
    await pod.stop();
    await cri.containers.get(noSuchId).stop();
    await cri.containers.remove(noSuchId);
    await cri.pods.get(noSuchId).stop();
    await cri.pods.remove(noSuchId);
  });

  test("all other calls for a missing pod or container reject with NOT_FOUND", async () => {
    const container = cri.containers.get(noSuchId);
    const pod = cri.pods.get(noSuchId);
    for (const call of [
      () => container.status(),
      () => container.inspect(),
      () => container.start(),
      () => container.execSync(["true"]),
      () => container.stats(),
      () => container.wait(),
      () => container.updateResources({ resources: { limits: { cpu: 1 } } }),
      ...(traits.logFormat === "cri" ? [() => container.reopenLog()] : []),
      () => container.restart(),
      () => cri.containers.get(noSuchId).execUrl(["true"]),
      () => cri.containers.get(noSuchId).attachUrl(),
      () => pod.status(),
      () => pod.inspect(),
      ...(traits.podStats === "none" ? [] : [() => pod.stats()]),
      ...(traits.checksPortForward ? [() => cri.pods.get(noSuchId).portForwardUrl([80])] : []),
      () => pod.createContainer(fixture.containerSpec()),
    ]) {
      const failure = await expectCode(call(), "NOT_FOUND");
      if (/Status$|Stats$/.test(failure.method ?? "")) expect(failure.mayHaveTakenEffect).toBe(false);
      expect(failure.message).toContain(runtime.endpoint);
    }
  });

  test("an invalid argument rejects with INVALID_INPUT and never throws synchronously", async () => {
    const bad = "two words";
    const { pods, containers, images, stats } = cri;
    type Methods<Name extends string> = Record<Name, (argument: string) => Promise<unknown>>;
    const calling = <Name extends string>(target: Methods<Name>, ...names: Name[]) =>
      names.map((name) => () => target[name](bad));
    for (const call of [
      () => pods.run({ name: "" }),
      ...calling(pods, "remove"),
      () => pods.list({ id: bad }),
      () => pods.get("good").stop({ gracePeriodSeconds: -1 }),
      () => pods.get("good").updateResources({ cpu: 1 } as never),
      () => pods.get("good").portForwardUrl([0]),
      ...calling(containers, "remove"),
      () => containers.get("good").stop({ gracePeriodSeconds: -1 }),
      () => containers.get("good").restart({ gracePeriodSeconds: -1 }),
      () => containers.get("good").attachUrl({ stdout: false, stderr: false }),
      () => containers.list({ id: bad }),
      () => containers.create("good", fixture.containerSpec({ name: "" })),
      () => containers.get("good").execSync([]),
      () => containers.get("good").execUrl([]),
      () => containers.get("good").updateResources({ cpu: 1 } as never),
      () => containers.get("good").checkpoint({ outputPath: "relative" }),
      () => cri.createContainerInSandbox(bad, fixture.containerSpec()),
      () => cri.runContainerInSandbox("good", fixture.containerSpec({ image: "" })),
      ...calling(images, "pull", "ensure", "get", "inspect", "remove"),
      () => images.list({ image: bad }),
      () => stats.container(bad),
      () => stats.containers({ id: bad }),
      () => stats.pod(bad),
      () => stats.pods({ id: bad }),
    ]) {
      let promise: Promise<unknown> | undefined;
      expect(() => {
        promise = call();
      }, String(call)).not.toThrow();
      await expectCode(promise!, "INVALID_INPUT");
    }
  });

  test("a running container, and a pod with running containers, can be removed without a stop", async () => {
    await using pod = await fixture.hostNetworkPod();
    await using one = await fixture.container(pod);
    await using other = await fixture.container(pod);
    await one.remove();
    await expectCode(one.status(), "NOT_FOUND");
    await pod.remove();
    await expectCode(other.status(), "NOT_FOUND");
    await expectCode(pod.status(), "NOT_FOUND");
  });

  test("stopping a pod kills its containers", async () => {
    await using pod = await fixture.pod();
    await using container = await fixture.container(pod);
    await pod.stop();
    expect(await container.status()).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
    expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_NOTREADY);
    // containerd 2 refuses the start, others the creation.
    await expectCode(fixture.container(pod), "FAILED_PRECONDITION");
    expect(await cri.containers.list({ pod })).toHaveLength(1);
  });

  test("a unique prefix of an id works as the id", async () => {
    const pod = await fixture.sharedPod();
    await using container = await fixture.container(pod);
    const short = cri.containers.get(container.id.slice(0, 16));
    expect((await short.status()).id).toBe(container.id);
    await short.stop({ gracePeriodSeconds: 0 });
    expect((await short.wait()).exitCode).toBe(137);
    await short.remove();
    expect((await cri.pods.get(pod.id.slice(0, 16)).status()).id).toBe(pod.id);
  });

  test("inspect() also returns the runtime's verbose info", async () => {
    const pod = await fixture.sharedPod();
    await using container = await fixture.container(pod);
    const inspected = await container.inspect();
    expect(inspected.status.id).toBe(container.id);
    const hasPid = (info: string | undefined) => "pid" in JSON.parse(info ?? "{}");
    expect(hasPid(inspected.info.info)).toBe(traits.infoHasPid.container);
    expect(hasPid((await pod.inspect()).info.info)).toBe(traits.infoHasPid.pod);
  });

  test("statuses and lists of pods and containers return labels and annotations unchanged", async () => {
    const labels = { plain: "value", empty: "", "example.test/with.dots": "ünïcode ✓", constructor: "not special" };
    const annotations = { note: 'line one\nline "two"', json: JSON.stringify({ a: [1] }), "example.test/x": "" };
    await using pod = await fixture.hostNetworkPod({ labels, annotations });
    await using container = await pod.createContainer(fixture.containerSpec({ labels, annotations }));
    const listed = (all: { id: string }[], id: string) => all.find((entry) => entry.id === id);
    for (const seen of [await pod.status(), listed(await cri.pods.list(), pod.id)]) {
      expect(seen).toMatchObject({ labels });
      expect(seen).toMatchObject({ annotations });
    }
    for (const seen of [await container.status(), listed(await cri.containers.list(), container.id)]) {
      expect(seen).toMatchObject({ labels });
      expect(seen).toMatchObject({ annotations });
    }
  });

  describe("lists", () => {
    const idsOf = (all: readonly { id: string }[]) => all.map(({ id }) => id).sort();

    test("filters pods by state, labels, name, namespace, uid and id", async () => {
      const uid = `uid-${fixture.namespace}`;
      const labels = { group: fixture.namespace, member: "1" };
      await using one = await fixture.hostNetworkPod({ labels, uid });
      await using two = await fixture.hostNetworkPod({ labels: { ...labels, member: "2" } });
      await two.stop();
      const inGroup = { labels: { group: fixture.namespace } };
      const list = async (filter: Parameters<typeof cri.pods.list>[0]) => idsOf(await cri.pods.list(filter));
      expect(await list(inGroup)).toEqual([one.id, two.id].sort());
      if (traits.listsLag) await eventually(() => list({ ...inGroup, state: "ready" }), hasItems(1));
      expect(await list({ ...inGroup, state: "ready" })).toEqual([one.id]);
      expect(await list({ ...inGroup, state: "notReady" })).toEqual([two.id]);
      expect(await list({ labels })).toEqual([one.id]);
      expect(await list({ labels: { group: fixture.namespace, member: "3" } })).toEqual([]);
      expect(await list({ name: two.config.metadata!.name, namespace: fixture.namespace })).toEqual([two.id]);
      expect(await list({ name: two.config.metadata!.name, namespace: "elsewhere" })).toEqual([]);
      expect(await list({ uid })).toEqual([one.id]);
      expect(await list({ id: one.id })).toEqual([one.id]);
      expect(await list({ id: one.id.slice(0, 20) })).toEqual([one.id]);
      expect(await list({ id: noSuchId })).toEqual([]);
      expect(await list({})).toEqual(expect.arrayContaining([one.id, two.id]));
      for (const filter of [inGroup, { uid }, { ...inGroup, name: two.config.metadata!.name }, { id: noSuchId }]) {
        expect(idsOf(await allOf(cri.pods.iterate(filter)))).toEqual(await list(filter));
      }
    });

    test("filters containers by state, labels, name, pod and id", async () => {
      const pod = await fixture.sharedPod();
      await using other = await fixture.hostNetworkPod();
      const labels = { group: `c-${fixture.namespace}` };
      await using created = await pod.createContainer(fixture.containerSpec({ labels }));
      await using running = await fixture.container(pod, { labels: { ...labels, tier: "front" } });
      await using exited = await fixture.container(pod, { labels, command: ["/bin/true"] });
      await using elsewhere = await fixture.container(other, { labels, name: running.config.metadata!.name });
      await exited.wait();
      const list = async (filter: Parameters<typeof cri.containers.list>[0]) =>
        idsOf(await cri.containers.list(filter));
      expect(await list({ labels })).toEqual(idsOf([created, running, exited, elsewhere]));
      expect(await list({ labels, pod })).toEqual(idsOf([created, running, exited]));
      expect(await list({ labels, pod: other.id })).toEqual([elsewhere.id]);
      if (traits.listsLag) await eventually(() => list({ labels, state: "running" }), hasItems(2));
      expect(await list({ labels, state: "created" })).toEqual([created.id]);
      expect(await list({ labels, state: "running" })).toEqual(idsOf([running, elsewhere]));
      expect(await list({ labels, state: "exited" })).toEqual([exited.id]);
      if (traits.listsUnknown) expect(await list({ labels, state: "unknown" })).toEqual([]);
      expect(await list({ labels: { tier: "front" } })).toEqual([running.id]);
      expect(await list({ labels, name: running.config.metadata!.name })).toEqual(idsOf([running, elsewhere]));
      expect(await list({ id: exited.id.slice(0, 20) })).toEqual([exited.id]);
      expect(await list({ id: noSuchId })).toEqual([]);
      for (const filter of [{ labels }, { labels, name: running.config.metadata!.name }, { id: noSuchId }]) {
        expect(idsOf(await allOf(cri.containers.iterate(filter)))).toEqual(await list(filter));
      }
    });
  });

  test("writes the log to logPath, in the CRI format", async () => {
    await using logs = await folder();
    await using pod = await fixture.hostNetworkPod({ logDirectory: logs.path });
    await using container = await fixture.container(pod, { name: "talker", command: sh("echo out; echo err >&2") });
    await container.wait();
    const { logPath } = await container.status();
    expect(logPath).toBe(join(logs.path, "talker.0.log"));
    if (traits.logFormat === "docker") return;
    const lines = await eventually(
      async () => linesOf(await readFile(logPath, "utf8")),
      ({ length }) => length === 2,
    );
    expect(lines).toEqual(["stderr F err", "stdout F out"]);
  });

  test("reports the runtime's version, status and readiness", async () => {
    const { runtimeVersion, runtimeApiVersion } = await cri.version();
    expect(runtimeVersion).toContain(runtime.version);
    expect(runtimeApiVersion).toBe("v1");
    const { status } = await cri.status();
    expect(Object.fromEntries(status!.conditions.map((condition) => [condition.type, condition.status]))).toMatchObject(
      {
        RuntimeReady: true,
        NetworkReady: true,
      },
    );
    expect(Object.keys((await cri.status({ verbose: true })).info)).not.toHaveLength(0);
    await cri.waitForReady({ network: true, timeoutMs: 30_000 });
  });
});

/** Returns the lines of a log without their timestamps, sorted. */
function linesOf(log: string): string[] {
  return log
    .split("\n")
    .filter(Boolean)
    .map((line) => line.slice(line.indexOf(" ") + 1))
    .sort();
}
