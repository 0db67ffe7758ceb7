/**
 * Records the events of a stream and the state that results from them.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { CriClient, CriEvent, EventsOptions, NodeView } from "k8s-cri-client";
import { eventually } from "./expectations.js";
import type { Fixture } from "./journeys.js";

/** Subscribes to events and records them, with the state that a consumer would build from them. */
export async function record({ cri }: { cri: CriClient }, { initial = true, ...filter }: EventsOptions = {}) {
  const events: CriEvent[] = [];
  const state = { pods: new Map<string, unknown>(), containers: new Map<string, unknown>() };
  const stream = cri.events({ initial, ...filter });
  const reading = (async () => {
    for await (const event of stream) {
      events.push(event);
      if (event.type === "resync")
        Object.assign(state, { pods: new Map(event.pods), containers: new Map(event.containers) });
      else if (event.type === "podRemoved") state.pods.delete(event.pod.id);
      else if (event.type === "containerRemoved") state.containers.delete(event.container.id);
      else if ("pod" in event) state.pods.set(event.pod.id, event.pod);
      else state.containers.set(event.container.id, event.container);
    }
  })();
  await stream.ready;
  const of = (type: CriEvent["type"]) => events.filter((event) => event.type === type);
  return {
    events,
    state,
    stream,
    of,
    async [Symbol.asyncDispose]() {
      await stream.close();
      await reading;
    },
  };
}

/** Expects that both the view and the recorded state equal a fresh list within 30 seconds. */
export async function expectFresh({ cri }: Fixture, view: NodeView, { state }: Awaited<ReturnType<typeof record>>) {
  const byId = <T extends { id: string }>(items: readonly T[]) => new Map(items.map((item) => [item.id, item]));
  const listAll = async () => {
    const [pods, containers] = await Promise.all([cri.pods.list(), cri.containers.list()]);
    return { pods: byId(pods), containers: byId(containers) };
  };
  const describe = (objects: { pods: ReadonlyMap<string, unknown>; containers: ReadonlyMap<string, unknown> }) =>
    [objects.pods, objects.containers].map((items) => JSON.stringify([...items.values()]));
  await eventually(
    async () => {
      const fresh = await listAll();
      const viewed = { pods: new Map(view.pods), containers: new Map(view.containers) };
      // Ignores the order, because a runtime lists even the labels of a pod in varying order.
      const same = isDeepStrictEqual(fresh, viewed) && isDeepStrictEqual(fresh, state);
      return same ? undefined : { fresh: describe(fresh), viewed: describe(viewed), recorded: describe(state) };
    },
    (differing) => differing === undefined,
    30_000,
  );
}
