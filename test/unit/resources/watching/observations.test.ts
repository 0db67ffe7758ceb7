import { beforeEach, describe, expect, test } from "vitest";
import { toNanoseconds } from "../../../../src/internal/time.js";
import { Container, ContainerEventResponse, ContainerState } from "../../../../src/proto.js";
import type { NodeState } from "../../../../src/resources/watching/event.js";
import { ObservationLog, toContainer, toPod } from "../../../../src/resources/watching/observations.js";

const { CONTAINER_RUNNING, CONTAINER_EXITED } = ContainerState;
const emptyNode: NodeState = { pods: new Map(), containers: new Map() };
const at = (offsetMs: number) => toNanoseconds(new Date(Date.now() + offsetMs));

const event = (state: ContainerState, { id = "c", createdAt = at(10), podCreatedAt = at(0) } = {}) =>
  ContainerEventResponse.fromPartial({
    containerId: id,
    createdAt,
    podSandboxStatus: { id: "p", createdAt: podCreatedAt, labels: { a: "b" } },
    containersStatuses: [{ id, state, metadata: { name: "main" } }],
  });

let log: ObservationLog;
beforeEach(() => {
  log = new ObservationLog();
});

describe("observation log", () => {
  test("keeps observations until they are taken, and ignores later states of an exited container", () => {
    log.add(event(CONTAINER_RUNNING));
    log.add(event(CONTAINER_EXITED));
    log.add(event(CONTAINER_RUNNING));
    const { pods, containers } = log.take();
    expect([...pods.keys()]).toEqual(["p"]);
    expect(containers.get("c")).toMatchObject({ podSandboxId: "p", status: { state: CONTAINER_EXITED } });
    expect(log.take()).toEqual({ pods: new Map(), containers: new Map() });
  });

  test("drops history about objects that the first lists lack, whatever the timestamps of the events", () => {
    const listed = { pods: new Map(), containers: new Map([["kept", Container.fromPartial({ id: "kept" })]]) };
    log.add(event(CONTAINER_EXITED, { id: "gone", createdAt: at(60_000) }));
    log.add(event(CONTAINER_RUNNING, { id: "kept" }));
    log.dropHistory(log.take(), listed);
    for (const id of ["gone", "kept", "new"]) log.add(event(CONTAINER_EXITED, { id, createdAt: at(-60_000) }));
    const { pods, containers } = log.take();
    expect([[...pods.keys()], [...containers.keys()]]).toEqual([[], ["kept", "new"]]);
    expect(log.eventCount).toBe(5);
  });

  test("ignores events about removed objects", () => {
    log.ignore("c");
    log.ignore("p");
    log.add(event(CONTAINER_EXITED));
    expect(log.take()).toEqual({ pods: new Map(), containers: new Map() });
  });

  test("ignores a pod of which the event contains only the id", () => {
    log.add(event(CONTAINER_EXITED, { podCreatedAt: at(-Date.now()) }));
    const { pods, containers } = log.take();
    expect([pods.size, containers.size]).toEqual([0, 1]);
    expect(log.add(ContainerEventResponse.fromPartial({ containerId: "p", createdAt: at(10) }))).toBe(true);
  });

  test("completes a relist with containers that existed before it and are missing from its lists", () => {
    const known = { pods: new Map(), containers: new Map([["c", Container.fromPartial({ id: "c" })]]) };
    log.add(event(CONTAINER_EXITED));
    log.add(event(CONTAINER_RUNNING, { id: "new" }));
    const complete = (after: NodeState) => {
      const observed = { pods: new Map(), containers: new Map() };
      log.complete(observed, known, after);
      return [...observed.containers.keys()];
    };
    expect(complete(known)).toEqual([]);
    expect(complete(emptyNode)).toEqual(["c"]);
    expect([...log.take().containers.keys()]).toEqual(["c", "new"]);
  });

  test("reports that it is full", () => {
    for (let index = 0; index < 10_000; index++) log.add(event(CONTAINER_RUNNING, { id: `c${index}` }));
    expect(log.add(event(CONTAINER_RUNNING, { id: "last" }))).toBe(false);
    expect(log.take().containers.size).toBe(10_000);
  });

  test("converts observations to entries of lists", () => {
    log.add(event(CONTAINER_RUNNING));
    const { pods, containers } = log.take();
    expect(toPod(pods.get("p"))).toMatchObject({ id: "p", labels: { a: "b" } });
    const container = toContainer(containers.get("c"));
    expect(container).toMatchObject({ id: "c", podSandboxId: "p", metadata: { name: "main" } });
    expect(Object.keys(container ?? {}).sort()).toEqual(Object.keys(Container.fromPartial({})).sort());
  });
});
