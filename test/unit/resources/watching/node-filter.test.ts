import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Container, PodSandbox } from "../../../../src/proto.js";
import { diff } from "../../../../src/resources/watching/diff.js";
import { type CriEvent, type NodeState, resync } from "../../../../src/resources/watching/event.js";
import { type NodeFilter, subscriberFilter } from "../../../../src/resources/watching/node-filter.js";

const at = new Date(0);
const pod = (id: string, app: string) =>
  PodSandbox.fromPartial({ id, labels: { app }, metadata: { name: id, namespace: "default" } });
const container = (id: string, podSandboxId: string, labels = {}) =>
  Container.fromPartial({ id, podSandboxId, labels });
const stateOf = (pods: PodSandbox[], containers: Container[] = []): NodeState => ({
  pods: new Map(pods.map((item) => [item.id, item])),
  containers: new Map(containers.map((item) => [item.id, item])),
});
const idOf = (event: CriEvent) =>
  event.type === "resync" ? event.reason : "pod" in event ? event.pod.id : event.container.id;

/** Returns a filtered subscriber, and the calls that pass the filter. */
function filtered(filter: NodeFilter) {
  const calls: { readonly events: readonly CriEvent[]; readonly state: NodeState }[] = [];
  const failures: unknown[] = [];
  const subscriber = subscriberFilter(filter)({
    changed: (events, state) => calls.push({ events, state }),
    failed: (reason) => failures.push(reason),
  });
  const change = (events: readonly CriEvent[], state: NodeState) => {
    const before = calls.length;
    subscriber.changed(events, state);
    return calls.slice(before).flatMap(({ events }) => events.map((event) => `${event.type} ${idOf(event)}`));
  };
  return { subscriber, change, calls, failures };
}

describe("node filter", () => {
  const [web, db] = [pod("w", "web"), pod("d", "db")];

  test("passes on the selected part of a resync, and no call if nothing selected has changed", () => {
    const { change, calls } = filtered({ labels: { app: "web" } });
    const state = stateOf([web, db], [container("c", "w"), container("x", "d", { app: "web" })]);
    expect(change([resync("initial", state)], state)).toEqual(["resync initial"]);
    const selected = stateOf([web], [container("c", "w")]);
    expect(calls[0]?.state).toEqual(selected);
    expect(calls[0]?.events).toMatchObject([selected]);
    expect(change([{ type: "podUpdated", pod: db, at }], state)).toEqual([]);
    expect(calls).toHaveLength(1);
  });

  test("selects events of containers after the removal of their pod", () => {
    const { change } = filtered({ labels: { app: "web" } });
    change([resync("initial", stateOf([]))], stateOf([]));
    const added = [web, db].map((item) => ({ type: "podAdded", pod: item, at }) as const);
    const removed = [web, db].map((item) => ({ type: "podRemoved", pod: item, at }) as const);
    expect(change([...added, ...removed], stateOf([]))).toEqual(["podAdded w", "podRemoved w"]);
    const exits = [container("c", "w"), container("x", "d")].map(
      (item) => ({ type: "containerRemoved", container: item, at }) as const,
    );
    expect(change(exits, stateOf([]))).toEqual(["containerRemoved c"]);
  });

  test("selects containers by the id of a pod that the runtime does not list", () => {
    const state = stateOf([], [container("c", "w123"), container("x", "d123")]);
    const containersWith = (filter: NodeFilter) => {
      const { change, calls } = filtered(filter);
      change([resync("initial", state)], state);
      return [...(calls[0]?.state.containers.keys() ?? [])];
    };
    expect(containersWith({ pod: "w1" })).toEqual(["c"]);
    expect(containersWith({ pod: "w1", namespace: "default" })).toEqual([]);
  });

  test("keeps the ids of a limited number of removed pods", () => {
    const { change } = filtered({ namespace: "default" });
    for (let index = 0; index < 3_000; index++) {
      const shortLived = pod(`p${index}`, "web");
      change(
        [
          { type: "podAdded", pod: shortLived, at },
          { type: "podRemoved", pod: shortLived, at },
        ],
        stateOf([]),
      );
    }
    const removal = (id: string) =>
      change([{ type: "containerRemoved", container: container("c", id), at }], stateOf([]));
    expect([removal("p0"), removal("p2999")]).toEqual([[], ["containerRemoved c"]]);
  });

  test("passes on failures", () => {
    const { subscriber, failures } = filtered({ pod: "w" });
    const reason = new Error("from the watch");
    subscriber.failed(reason);
    expect(failures).toEqual([reason]);
  });

  test.each([{}, { labels: {} }, { pod: undefined, labels: undefined, namespace: undefined }])(
    "returns the subscriber itself if it selects everything: %j",
    (filter) => {
      const subscriber = { changed: () => {}, failed: () => {} };
      expect(subscriberFilter(filter)(subscriber)).toBe(subscriber);
    },
  );
});

const podIds = ["a1", "a2", "b1", "b2"];
const anyNode = fc.record({
  pods: fc.subarray(podIds),
  containers: fc.uniqueArray(
    fc.record({ id: fc.nat(5), pod: fc.constantFrom(...podIds), state: fc.constantFrom(0, 1, 2) }),
    {
      selector: ({ id }) => id,
    },
  ),
});

/** Applies events to a state, as a consumer does. */
function apply(before: NodeState, events: readonly CriEvent[]): NodeState {
  const [pods, containers] = [new Map(before.pods), new Map(before.containers)];
  for (const event of events) {
    if (event.type === "resync") return event;
    if (event.type === "podRemoved") pods.delete(event.pod.id);
    else if (event.type === "containerRemoved") containers.delete(event.container.id);
    else if ("pod" in event) pods.set(event.pod.id, event.pod);
    else containers.set(event.container.id, event.container);
  }
  return { pods, containers };
}

test("filtered events of random nodes lead to the filtered states", () => {
  fc.assert(
    fc.property(fc.array(anyNode), (nodes) => {
      const { subscriber, calls } = filtered({ labels: { app: "a" } });
      const observed = { pods: new Map(), containers: new Map() };
      const listedPods = new Set<string>();
      let state = stateOf([]);
      subscriber.changed([resync("initial", state)], state);
      for (const { pods, containers } of nodes) {
        for (const id of pods) listedPods.add(id);
        const after = stateOf(
          pods.map((id) => pod(id, id.slice(0, 1))),
          containers
            // A container always belongs to the same pod, which was listed before the container.
            .map(({ id, pod: podId, state: stage }) => ({ ...container(`${podId}/${id}`, podId), state: stage }))
            .filter(({ podSandboxId }) => listedPods.has(podSandboxId)),
        );
        subscriber.changed(diff(state, after, observed, at), after);
        state = after;
      }
      let consumed = stateOf([]);
      for (const { events, state: filteredState } of calls) {
        consumed = apply(consumed, events);
        expect(consumed).toMatchObject({ pods: filteredState.pods, containers: filteredState.containers });
      }
      const selected = [...state.pods.keys()].filter((id) => id.startsWith("a"));
      expect([...consumed.pods.keys()].sort()).toEqual(selected.sort());
      const ofSelected = [...state.containers.values()].filter(({ podSandboxId }) => podSandboxId.startsWith("a"));
      expect([...consumed.containers.keys()].sort()).toEqual(ofSelected.map(({ id }) => id).sort());
    }),
  );
});
