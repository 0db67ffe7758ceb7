/**
 * Events, the view and `waitFor()`, with 6 pods by default and 50 with `CRI_TEST_THOROUGH=1`.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ContainerState, CriError, type CriEvent, type OwnedPodSandbox } from "k8s-cri-client";
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { eventually, inBatches } from "./helpers/expectations.js";
import { type Fixture, journeys, sh } from "./helpers/journeys.js";
import { expectFresh, record } from "./helpers/recording.js";

const podCount = thorough ? 50 : 6;
const timeout = thorough ? 500_000 : 120_000;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Creates pods with one short-lived container each, and removes every other pod. */
async function churn(fixture: Fixture, count: number, during?: () => Promise<void>): Promise<OwnedPodSandbox[]> {
  const kept: OwnedPodSandbox[] = [];
  const retry = { maxAttempts: 100, maxBackoffMs: 500 };
  const work = inBatches(numbers(count), 8, async (index) => {
    const pod = await fixture.pod({ hostNetwork: true });
    const spec = fixture.containerSpec({ command: sh(`exit ${index}`) });
    const container = await pod.runContainer(spec, { retry }).catch((error: unknown) => {
      // The start fails if the runtime is killed during it.
      if (!during) throw error;
    });
    await container?.wait({ retry }).catch(async (error: unknown) => {
      // A runtime that is killed during a start may not know whether the container runs. Then stop() ends it.
      if (!during || !CriError.is(error, "FAILED_PRECONDITION")) throw error;
      await container.stop({ gracePeriodSeconds: 0, retry });
      await container.wait({ retry });
    });
    if (index % 2 === 0) {
      await pod.stop({ retry });
      await pod.remove({ retry });
    } else {
      kept.push(pod);
    }
  });
  await Promise.all([work, during?.()]);
  return kept;
}

const removeAll = (pods: OwnedPodSandbox[]) => inBatches(pods, 8, (pod) => pod[Symbol.asyncDispose]());

journeys("events", (fixture) => {
  const { cri, runtime } = fixture;
  const hasEvents = !/^(containerd-1\.|docker)/.test(runtime.name);

  test(
    `the view equals a fresh list after ${podCount} pods are created and removed in parallel`,
    async () => {
      await using view = cri.watch();
      await using recorded = await record(fixture);
      await view.ready;
      if (runtime.lab) expect(view.source).toBe(hasEvents ? "events" : "list");
      const startedAt = Date.now();
      const kept = await churn(fixture, podCount);
      const churnMs = Date.now() - startedAt;
      await expectFresh(fixture, view, recorded);
      await removeAll(kept);
      await expectFresh(fixture, view, recorded);

      const exits = recorded.of("containerExited").map((event) => (event as { exitCode?: number }).exitCode);
      console.log(
        `${runtime.name}: ${podCount} pods in ${churnMs} ms; ${recorded.stream.source}; ` +
          `added ${recorded.of("podAdded").length}, exited ${exits.length}, removed ${recorded.of("podRemoved").length}, ` +
          `resync ${recorded.of("resync").length}`,
      );
      expect(recorded.of("resync")).toHaveLength(1);
      const once = recorded.events
        .filter(({ type }) => !type.endsWith("Updated"))
        .map((event) => `${event.type} ${idOf(event)}`);
      expect(once.filter((event, index) => once.indexOf(event) !== index)).toEqual([]);
      if (runtime.lab && hasEvents) {
        expect(recorded.of("podAdded")).toHaveLength(podCount);
        expect(exits.sort((a, b) => a! - b!)).toEqual(numbers(podCount));
        expect(recorded.of("containerRemoved")).toHaveLength(podCount);
        expect(recorded.of("podRemoved")).toHaveLength(podCount);
      }
    },
    timeout,
  );

  test("waitFor() resolves soon with the first status that matches", async () => {
    const pod = await fixture.sharedPod();
    await using container = await pod.createContainer(fixture.containerSpec());
    const running = cri.waitFor(container, ({ state }) => state === ContainerState.CONTAINER_RUNNING);
    await container.start();
    const startedAt = performance.now();
    expect(await running).toMatchObject({ id: container.id, state: ContainerState.CONTAINER_RUNNING });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("reports containers that exist only between two polls, where the runtime has events", async () => {
    if (!hasEvents) return;
    const pod = await fixture.sharedPod();
    await using other = fixture.client();
    await using recorded = await record(fixture, { initial: false });
    const created: string[] = [];
    for (const code of numbers(5)) {
      const spec = fixture.containerSpec({ command: sh(`exit ${code}`) });
      const container = await other.runContainerInSandbox(pod, spec);
      await container.remove();
      created.push(container.id);
    }
    const reported = (type: CriEvent["type"]) => recorded.of(type).map(idOf);
    await eventually(
      () => reported("containerRemoved").length,
      (count) => count >= created.length,
    );
    expect(reported("containerAdded").sort()).toEqual([...created].sort());
    expect(reported("containerRemoved").sort()).toEqual([...created].sort());
    const exits = recorded.of("containerExited").length;
    console.log(`${runtime.name}: ${created.length} containers removed at once, ${exits} exits reported`);
  });

  test("a second watch starts with a resync of the current state", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    await using recorded = await record(fixture);
    await eventually(
      () => recorded.events.length,
      (count) => count > 0,
    );
    expect(recorded.events[0]).toMatchObject({ type: "resync", reason: "initial" });
    expect(recorded.state.containers.has(container.id)).toBe(true);
    // containerd 2 replays events from before the subscription. The client must not report them again.
    await sleep(1_000);
    expect(recorded.events.map(({ type }) => type)).toEqual(["resync"]);
  });

  test("a filtered stream and view contain only the selected pods and their containers", async () => {
    const labels = { app: fixture.name("app") };
    await using selected = await fixture.hostNetworkPod({ labels });
    await using other = await fixture.hostNetworkPod();
    await using recorded = await record(fixture, { labels, namespace: fixture.namespace });
    await using ofPod = await record(fixture, { pod: selected });
    await using view = cri.watch({ labels });
    const changes: CriEvent[] = [];
    const outdated: CriEvent[] = [];
    view.on("change", (event) => {
      changes.push(event);
      const isCurrent =
        (event.type === "containerAdded" && view.containers.has(event.container.id)) ||
        (event.type === "podRemoved" && !view.pods.has(event.pod.id));
      if (/^(containerAdded|podRemoved)$/.test(event.type) && !isCurrent) outdated.push(event);
    });
    await view.ready;
    // The filter compares the labels of pods only, so the labels of this container have no effect.
    await using unselected = await other.runContainer(fixture.containerSpec({ labels }));
    const container = await selected.runContainer(fixture.containerSpec());
    const untilAllReport = (type: CriEvent["type"]) =>
      eventually(
        () => [recorded.events, ofPod.events, changes].map((events) => events.some((event) => event.type === type)),
        (reported) => !reported.includes(false),
      );
    await untilAllReport("containerStarted");
    expect([[...view.pods.keys()], [...view.containers.keys()]]).toEqual([[selected.id], [container.id]]);
    await unselected.stop();
    await other.remove();
    await container.stop();
    await untilAllReport("containerExited");
    await selected.remove();
    await untilAllReport("containerRemoved");
    await untilAllReport("podRemoved");
    for (const events of [recorded.events, ofPod.events, changes]) {
      expect(new Set(events.map(idOf))).toEqual(new Set(["initial", selected.id, container.id]));
      expect(events.filter(({ type }) => type === "containerExited")).toMatchObject([{ exitCode: 137 }]);
      expect(events[0]).toMatchObject({ type: "resync", pods: new Map([[selected.id, {}]]) });
    }
    expect(outdated).toEqual([]);
    expect([view.pods.size, view.containers.size]).toEqual([0, 0]);
  });

  if (!runtime.lab) return;
  test(
    `the view equals a fresh list after ${podCount} pods are created and removed across a SIGKILL of the runtime`,
    async () => {
      let warnings = 0;
      await using watching = fixture.client({ logger: { warn: () => warnings++ } });
      await using view = watching.watch();
      await using recorded = await record({ cri: watching });
      await view.ready;
      const kept = await churn(fixture, podCount, async () => {
        await eventually(
          () => recorded.of("podAdded").length,
          (count) => count > 0,
        );
        await runtime.kill();
        // Without events, only a relist that fails reveals the outage.
        await eventually(
          () => warnings,
          (count) => count > 0,
        );
        await runtime.start();
      });
      await cri.waitForReady({ timeoutMs: 60_000 });
      await expectFresh(fixture, view, recorded);
      const reasons = await eventually(
        () => recorded.of("resync").map((event) => (event as { reason: string }).reason),
        (all) => all.includes("gap"),
      );
      console.log(`${runtime.name}: across a kill: ${recorded.events.length} events, resync ${reasons}`);
      expect(reasons[0]).toBe("initial");
      await removeAll(kept);
      await expectFresh(fixture, view, recorded);
    },
    timeout,
  );
});

const idOf = (event: CriEvent) =>
  event.type === "resync" ? event.reason : "pod" in event ? event.pod.id : event.container.id;
