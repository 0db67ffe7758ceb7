import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toNanoseconds } from "../../../../src/internal/time.js";
import { Container, ContainerState, ContainerStatus, PodSandbox, PodSandboxStatus } from "../../../../src/proto.js";
import { diff } from "../../../../src/resources/watching/diff.js";
import type { CriEvent, NodeState } from "../../../../src/resources/watching/event.js";
import type { Observations } from "../../../../src/resources/watching/observations.js";

const { CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED, CONTAINER_UNKNOWN } = ContainerState;
const now = new Date(1_000_000);
const time = (second: number) => toNanoseconds(new Date(second * 1_000));

const pod = (id: string, state = 0) => PodSandbox.fromPartial({ id, state, createdAt: time(1) });
const container = (id: string, state: ContainerState, annotations = {}) =>
  Container.fromPartial({ id, podSandboxId: "p", state, annotations, createdAt: time(2) });
const status = (id: string, state: ContainerState, exitCode = 0, startedAt = 3) =>
  ContainerStatus.fromPartial({
    id,
    state,
    exitCode,
    createdAt: time(2),
    startedAt: time(startedAt),
    finishedAt: time(state === CONTAINER_EXITED ? 4 : 0),
  });

const stateOf = (pods: PodSandbox[], containers: Container[]): NodeState => ({
  pods: new Map(pods.map((item) => [item.id, item])),
  containers: new Map(containers.map((item) => [item.id, item])),
});
const observe = (statuses: ContainerStatus[] = [], pods: PodSandboxStatus[] = []): Observations => ({
  pods: new Map(pods.map((item) => [item.id, item])),
  containers: new Map(statuses.map((item) => [item.id, { podSandboxId: "p", status: item }])),
});
const emptyNode = stateOf([], []);

/** Applies events to a state, as a consumer does. */
function apply(before: NodeState, events: readonly CriEvent[]): NodeState {
  const [pods, containers] = [new Map(before.pods), new Map(before.containers)];
  for (const event of events) {
    if (event.type === "resync") throw new Error("a diff contains no resync");
    if (event.type === "podRemoved") pods.delete(event.pod.id);
    else if (event.type === "containerRemoved") containers.delete(event.container.id);
    else if ("pod" in event) pods.set(event.pod.id, event.pod);
    else containers.set(event.container.id, event.container);
  }
  return { pods, containers };
}

const types = (before: Container | undefined, after: Container | undefined, observed?: ContainerStatus) =>
  diff(
    stateOf([], before ? [before] : []),
    stateOf([], after ? [after] : []),
    observe(observed ? [observed] : []),
    now,
  ).map(({ type }) => type.replace("container", ""));

describe("diff", () => {
  const created = container("c", CONTAINER_CREATED);
  const running = container("c", CONTAINER_RUNNING);
  const exited = container("c", CONTAINER_EXITED);
  const exit = status("c", CONTAINER_EXITED, 7);

  test.each([
    ["no container", undefined, undefined, undefined, []],
    ["no change", running, running, status("c", CONTAINER_RUNNING), []],
    ["created", undefined, created, undefined, ["Added"]],
    ["created and started", undefined, running, undefined, ["Added", "Started"]],
    ["created, started and exited", undefined, exited, exit, ["Added", "Started", "Exited"]],
    ["failed to start", created, exited, status("c", CONTAINER_EXITED, 128, 0), ["Exited"]],
    ["started", created, running, undefined, ["Started"]],
    ["started and exited", created, exited, exit, ["Started", "Exited"]],
    ["exited", running, exited, exit, ["Exited"]],
    ["exited without a status", running, exited, undefined, ["Exited"]],
    ["changed annotations", running, container("c", CONTAINER_RUNNING, { a: "b" }), undefined, ["Updated"]],
    ["in the unknown state", running, container("c", CONTAINER_UNKNOWN), undefined, ["Updated"]],
    ["running after the unknown state", container("c", CONTAINER_UNKNOWN), running, undefined, ["Updated"]],
    ["removed", exited, undefined, undefined, ["Removed"]],
    ["removed while running", running, undefined, undefined, ["Removed"]],
    ["exited and removed", running, undefined, exit, ["Exited", "Removed"]],
    ["started, exited and removed", created, undefined, exit, ["Started", "Exited", "Removed"]],
    ["created, exited and removed in between", undefined, undefined, exit, ["Added", "Started", "Exited", "Removed"]],
    [
      "created and removed in between",
      undefined,
      undefined,
      status("c", CONTAINER_CREATED, 0, 0),
      ["Added", "Removed"],
    ],
  ] as const)("%s", (_, before, after, observed, expected) => {
    expect(types(before, after, observed)).toEqual(expected);
  });

  test("reports when and how a container exited", () => {
    const events = diff(stateOf([], [created]), stateOf([], [exited]), observe([exit]), now);
    expect(events).toEqual([
      { type: "containerStarted", container: exited, at: new Date(3_000) },
      { type: "containerExited", container: exited, exitCode: 7, status: exit, at: new Date(4_000) },
    ]);
    expect(diff(stateOf([], [running]), stateOf([], [exited]), observe(), now)).toEqual([
      { type: "containerExited", container: exited, exitCode: undefined, status: undefined, at: now },
    ]);
  });

  test("reports pods before their containers, and their removal after them", () => {
    const full = stateOf([pod("p")], [running]);
    const order = (before: NodeState, after: NodeState) => diff(before, after, observe(), now).map(({ type }) => type);
    expect(order(emptyNode, full)).toEqual(["podAdded", "containerAdded", "containerStarted"]);
    expect(order(full, emptyNode)).toEqual(["containerRemoved", "podRemoved"]);
    expect(order(full, stateOf([pod("p", 1)], [running]))).toEqual(["podUpdated"]);
    const shortLived = PodSandboxStatus.fromPartial({ id: "p", createdAt: time(1) });
    const events = diff(emptyNode, emptyNode, observe([exit], [shortLived]), now);
    expect(events.map(({ type }) => type)).toEqual([
      "podAdded",
      "containerAdded",
      "containerStarted",
      "containerExited",
      "containerRemoved",
      "podRemoved",
    ]);
    expect(events[0]).toMatchObject({ pod: pod("p"), at: new Date(1_000) });
  });
});

const ids = fc.constantFrom("a", "b", "c", "d");
const anyState = fc.constantFrom(CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED, CONTAINER_UNKNOWN);
const annotations = fc.constantFrom({}, { x: "1" });
const unique = <T extends { id: string }>(item: fc.Arbitrary<T>) =>
  fc.uniqueArray(item, { selector: ({ id }) => id, maxLength: 4 });
const anyNode = fc
  .tuple(
    unique(fc.tuple(ids, fc.constantFrom(0, 1)).map((args) => pod(...args))),
    unique(fc.tuple(ids, anyState, annotations).map((args) => container(...args))),
  )
  .map((parts) => stateOf(...parts));
const anyObservations = fc
  .tuple(
    unique(fc.tuple(ids, anyState, fc.nat(3), fc.constantFrom(0, 3)).map((args) => status(...args))),
    unique(ids.map((id) => PodSandboxStatus.fromPartial({ id }))),
  )
  .map((parts) => observe(...parts));

describe("diff of random states", () => {
  test("its events lead from the state before to the state after", () => {
    fc.assert(
      fc.property(anyNode, anyNode, anyObservations, (before, after, observations) => {
        expect(apply(before, diff(before, after, observations, now))).toEqual(after);
      }),
    );
  });

  test("equal states give no events", () => {
    fc.assert(
      fc.property(anyNode, (node) => {
        expect(diff(node, copyOf(node), observe(), now)).toEqual([]);
      }),
    );
  });

  test("reports each event of a container once, in the order of its life", () => {
    const order = ["Added", "Started", "Exited", "Updated", "Removed"];
    fc.assert(
      fc.property(anyNode, anyNode, anyObservations, (before, after, observations) => {
        const eventsById = new Map<string, number[]>();
        for (const event of diff(before, after, observations, now)) {
          if (!("container" in event)) continue;
          const events = eventsById.get(event.container.id) ?? [];
          eventsById.set(event.container.id, [...events, order.indexOf(event.type.replace("container", ""))]);
        }
        for (const events of eventsById.values()) expect(events).toEqual([...new Set(events)].sort());
      }),
    );
  });
});

const copyOf = ({ pods, containers }: NodeState): NodeState =>
  stateOf(
    [...pods.values()].map((item) => PodSandbox.decode(PodSandbox.encode(item).finish())),
    [...containers.values()].map((item) => Container.decode(Container.encode(item).finish())),
  );
