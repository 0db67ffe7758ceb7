/**
 * Watching what runs: events, the view, `waitFor()`. Small by default; `CRI_TEST_THOROUGH=1` runs 50 pods.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ContainerState, type CriEvent, type OwnedPodSandbox } from "k8s-cri-client";
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { eventually, inBatches } from "./helpers/expectations.js";
import { type Fixture, journeys, sh } from "./helpers/journeys.js";
import { expectFresh, record } from "./helpers/recording.js";

const podCount = thorough ? 50 : 6;
const timeout = thorough ? 500_000 : 120_000;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Makes pods with a short container each, and removes every other one. */
async function churn(fixture: Fixture, count: number, during?: () => Promise<void>): Promise<OwnedPodSandbox[]> {
  const kept: OwnedPodSandbox[] = [];
  const retry = { maxAttempts: 100, maxBackoffMs: 500 };
  const work = inBatches(numbers(count), 8, async (index) => {
    const pod = await fixture.pod({ hostNetwork: true });
    const spec = fixture.containerSpec({ command: sh(`exit ${index}`) });
    const container = await pod.runContainer(spec, { retry }).catch((error: unknown) => {
      // A start that a killed runtime was in the middle of has failed.
      if (!during) throw error;
    });
    if (container) await container.wait({ retry });
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
    `${podCount} pods created and removed in parallel: the final view equals a fresh list`,
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

  test("waitFor resolves with the first status that is as wanted, soon after it is", async () => {
    const pod = await fixture.sharedPod();
    await using container = await pod.createContainer(fixture.containerSpec());
    const running = cri.waitFor(container, ({ state }) => state === ContainerState.CONTAINER_RUNNING);
    await container.start();
    const startedAt = performance.now();
    expect(await running).toMatchObject({ id: container.id, state: ContainerState.CONTAINER_RUNNING });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("what came and went between two looks is told where the runtime has events", async () => {
    if (!hasEvents) return;
    const pod = await fixture.sharedPod();
    await using other = fixture.client();
    await using recorded = await record(fixture, false);
    const made: string[] = [];
    for (const code of numbers(5)) {
      const spec = fixture.containerSpec({ command: sh(`exit ${code}`) });
      const container = await other.runContainerInSandbox(pod, spec);
      await container.remove();
      made.push(container.id);
    }
    const told = (type: CriEvent["type"]) => recorded.of(type).map(idOf);
    await eventually(
      () => told("containerRemoved").length,
      (count) => count >= made.length,
    );
    expect(told("containerAdded").sort()).toEqual([...made].sort());
    expect(told("containerRemoved").sort()).toEqual([...made].sort());
    const exits = recorded.of("containerExited").length;
    console.log(`${runtime.name}: removed at once: ${made.length}, exits told ${exits}`);
  });

  test("the watch leaves nothing behind: a second one starts from what is there", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    await using recorded = await record(fixture);
    await eventually(
      () => recorded.events.length,
      (count) => count > 0,
    );
    expect(recorded.events[0]).toMatchObject({ type: "resync", reason: "initial" });
    expect(recorded.known.containers.has(container.id)).toBe(true);
    // containerd 2 tells once more what happened while nobody listened: that is no news.
    await sleep(1_000);
    expect(recorded.events.map(({ type }) => type)).toEqual(["resync"]);
  });

  if (!runtime.lab) return;
  test(
    `${podCount} pods created and removed across a SIGKILL of the runtime: the final view equals a fresh list`,
    async () => {
      await using view = cri.watch();
      await using recorded = await record(fixture);
      await view.ready;
      const kept = await churn(fixture, podCount, async () => {
        await eventually(
          () => recorded.of("podAdded").length,
          (count) => count > 0,
        );
        await runtime.kill();
        // Longer than it is between two looks at a runtime that has no events.
        await sleep(1_500);
        await runtime.start();
      });
      await cri.waitForReady({ timeoutMs: 60_000 });
      await expectFresh(fixture, view, recorded);
      const gaps = await eventually(
        () => recorded.of("resync").map((event) => (event as { reason: string }).reason),
        (reasons) => reasons.includes("gap"),
      );
      console.log(`${runtime.name}: across a kill: ${recorded.events.length} events, resync ${gaps}`);
      expect(gaps[0]).toBe("initial");
      await removeAll(kept);
      await expectFresh(fixture, view, recorded);
    },
    timeout,
  );
});

const idOf = (event: CriEvent) =>
  event.type === "resync" ? event.reason : "pod" in event ? event.pod.id : event.container.id;
