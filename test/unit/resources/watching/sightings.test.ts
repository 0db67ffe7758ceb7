import { beforeEach, describe, expect, test } from "vitest";
import { toNanoseconds } from "../../../../src/internal/time.js";
import { Container, ContainerEventResponse, ContainerState } from "../../../../src/proto.js";
import type { NodeState } from "../../../../src/resources/watching/event.js";
import { containerOf, podOf, SightingLog } from "../../../../src/resources/watching/sightings.js";

const { CONTAINER_RUNNING, CONTAINER_EXITED } = ContainerState;
const nothing: NodeState = { pods: new Map(), containers: new Map() };
const at = (offsetMs: number) => toNanoseconds(new Date(Date.now() + offsetMs));

const event = (state: ContainerState, { id = "c", createdAt = at(10), podCreatedAt = at(0) } = {}) =>
  ContainerEventResponse.fromPartial({
    containerId: id,
    createdAt,
    podSandboxStatus: { id: "p", createdAt: podCreatedAt, labels: { a: "b" } },
    containersStatuses: [{ id, state, metadata: { name: "main" } }],
  });

let log: SightingLog;
beforeEach(() => {
  log = new SightingLog();
});

describe("sightings", () => {
  test("are kept until they are taken, the end of a container for good", () => {
    log.note(event(CONTAINER_RUNNING));
    log.note(event(CONTAINER_EXITED));
    log.note(event(CONTAINER_RUNNING));
    const { pods, containers } = log.take();
    expect([...pods.keys()]).toEqual(["p"]);
    expect(containers.get("c")).toMatchObject({ podSandboxId: "p", status: { state: CONTAINER_EXITED } });
    expect(log.take()).toEqual({ pods: new Map(), containers: new Map() });
  });

  test("that arrived before the first lists are history if the lists lack the object, whatever time they bear", () => {
    const listed = { pods: new Map(), containers: new Map([["kept", Container.fromPartial({ id: "kept" })]]) };
    log.note(event(CONTAINER_EXITED, { id: "gone", createdAt: at(60_000) }));
    log.note(event(CONTAINER_RUNNING, { id: "kept" }));
    log.dropHistory(log.take(), listed);
    for (const id of ["gone", "kept", "new"]) log.note(event(CONTAINER_EXITED, { id, createdAt: at(-60_000) }));
    const { pods, containers } = log.take();
    expect([[...pods.keys()], [...containers.keys()]]).toEqual([[], ["kept", "new"]]);
    expect(log.heard).toBe(5);
  });

  test("of what was removed are ignored", () => {
    log.forget("c");
    log.forget("p");
    log.note(event(CONTAINER_EXITED));
    expect(log.take()).toEqual({ pods: new Map(), containers: new Map() });
  });

  test("of a pod that the runtime has forgotten are none", () => {
    log.note(event(CONTAINER_EXITED, { podCreatedAt: at(-Date.now()) }));
    const { pods, containers } = log.take();
    expect([pods.size, containers.size]).toEqual([0, 1]);
    expect(log.note(ContainerEventResponse.fromPartial({ containerId: "p", createdAt: at(10) }))).toBe(true);
  });

  test("during a look tell only of what the look lacks and was known before", () => {
    const known = { pods: new Map(), containers: new Map([["c", Container.fromPartial({ id: "c" })]]) };
    log.note(event(CONTAINER_EXITED));
    log.note(event(CONTAINER_RUNNING, { id: "new" }));
    const complete = (after: NodeState) => {
      const seen = { pods: new Map(), containers: new Map() };
      log.complete(seen, known, after);
      return [...seen.containers.keys()];
    };
    expect(complete(known)).toEqual([]);
    expect(complete(nothing)).toEqual(["c"]);
    expect([...log.take().containers.keys()]).toEqual(["c", "new"]);
  });

  test("are bounded, and say so", () => {
    for (let index = 0; index < 10_000; index++) log.note(event(CONTAINER_RUNNING, { id: `c${index}` }));
    expect(log.note(event(CONTAINER_RUNNING, { id: "one more" }))).toBe(false);
    expect(log.take().containers.size).toBe(10_000);
  });

  test("look like what lists show", () => {
    log.note(event(CONTAINER_RUNNING));
    const { pods, containers } = log.take();
    expect(podOf(pods.get("p"))).toMatchObject({ id: "p", labels: { a: "b" } });
    const container = containerOf(containers.get("c"));
    expect(container).toMatchObject({ id: "c", podSandboxId: "p", metadata: { name: "main" } });
    expect(Object.keys(container ?? {}).sort()).toEqual(Object.keys(Container.fromPartial({})).sort());
  });
});
