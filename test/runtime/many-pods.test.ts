/**
 * Lists, filters, watches and removes many pods: 50 on the newest runtime by default. `CRI_TEST_THOROUGH=1` runs 1,000 on each
 * runtime, one runtime after the other. Each runtime then needs 15 GB of memory and about 10 minutes.
 *
 * @module
 */
import { type OwnedPodSandbox, PodSandboxState } from "k8s-cri-client";
import { ListPodSandboxResponse } from "k8s-cri-client/proto";
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { inBatches } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";
import { expectFresh, record } from "./helpers/recording.js";

const count = thorough ? 1_000 : 50;
/** A small machine can run this many calls in parallel. */
const concurrency = 8;

/** Runs `work` and measures its duration in milliseconds. */
async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const startedAt = performance.now();
  const result = await work();
  return { result, ms: Math.round(performance.now() - startedAt) };
}

journeys(
  "many",
  (fixture) => {
    const { cri, runtime } = fixture;

    test(
      `lists, filters, statuses, the view and the events contain each of ${count} pods, and none after their removal`,
      async () => {
        await using view = cri.watch();
        await using recorded = await record(fixture);
        await view.ready;

        // Pods in the network of the node, without containers, start fastest.
        const pods: OwnedPodSandbox[] = [];
        const running = await timed(() =>
          inBatches(
            Array.from({ length: count }, (_, index) => index),
            concurrency,
            async (index) => {
              const labels = { many: "yes", tenth: String(index % 10) };
              pods.push(await fixture.pod({ hostNetwork: true, labels }));
            },
          ),
        );
        const ids = pods.map(({ id }) => id).sort();
        const labels = { many: "yes" };

        const listing = await timed(() => cri.pods.list({ labels }));
        expect(listing.result.map(({ id }) => id).sort()).toEqual(ids);
        const bytes = ListPodSandboxResponse.encode({ items: listing.result }).finish().length;

        const filtering = await timed(() => cri.pods.list({ labels: { ...labels, tenth: "3" }, state: "ready" }));
        expect(filtering.result).toHaveLength(count / 10);
        expect(filtering.result.every(({ labels: { tenth } }) => tenth === "3")).toBe(true);
        const named = await cri.pods.list({ name: pods[7]!.config.metadata!.name, namespace: fixture.namespace });
        expect(named.map(({ id }) => id)).toEqual([pods[7]!.id]);

        const readingStatuses = await timed(() =>
          inBatches(pods, concurrency, async (pod) => {
            const { id, metadata, state } = await pod.status();
            expect([id, metadata, state]).toEqual([pod.id, pod.config.metadata, PodSandboxState.SANDBOX_READY]);
          }),
        );

        await expectFresh(fixture, view, recorded);
        expect(
          view
            .findPods({ labels })
            .map(({ id }) => id)
            .sort(),
        ).toEqual(ids);
        const reportedIds = (type: "podAdded" | "podRemoved") =>
          recorded
            .of(type)
            .map((event) => ("pod" in event ? event.pod.id : ""))
            .sort();
        expect(reportedIds("podAdded")).toEqual(ids);

        const removing = await timed(() => inBatches(pods, concurrency, (pod) => pod[Symbol.asyncDispose]()));
        await expectFresh(fixture, view, recorded);
        expect(view.findPods({ labels })).toEqual([]);
        expect(reportedIds("podRemoved")).toEqual(ids);
        // Each change was reported exactly once, without a resync.
        expect(recorded.of("resync")).toHaveLength(1);
        expect(await cri.pods.list({ labels })).toEqual([]);

        console.log(
          `${runtime.name}: ${count} pods, run in ${running.ms} ms, listed in ${listing.ms} ms (${bytes} bytes), ` +
            `a tenth of them by label in ${filtering.ms} ms, all statuses in ${readingStatuses.ms} ms, ` +
            `removed in ${removing.ms} ms`,
        );
      },
      thorough ? 3_600_000 : 120_000,
    );
  },
  { newestOnly: !thorough, sequential: true },
);
