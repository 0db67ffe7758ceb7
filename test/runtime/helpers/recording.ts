/**
 * Everything that a stream of events tells, and what it all amounts to.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { CriEvent, NodeView } from "k8s-cri-client";
import { eventually } from "./expectations.js";
import type { Fixture } from "./journeys.js";

/** What a reader of the stream knows: all events, and the state that they make. */
export async function record(fixture: Fixture, initial = true) {
  const events: CriEvent[] = [];
  const known = { pods: new Map<string, unknown>(), containers: new Map<string, unknown>() };
  const stream = fixture.cri.events({ initial });
  const reading = (async () => {
    for await (const event of stream) {
      events.push(event);
      if (event.type === "resync")
        Object.assign(known, { pods: new Map(event.pods), containers: new Map(event.containers) });
      else if (event.type === "podRemoved") known.pods.delete(event.pod.id);
      else if (event.type === "containerRemoved") known.containers.delete(event.container.id);
      else if ("pod" in event) known.pods.set(event.pod.id, event.pod);
      else known.containers.set(event.container.id, event.container);
    }
  })();
  await stream.ready;
  const of = (type: CriEvent["type"]) => events.filter((event) => event.type === type);
  return {
    events,
    known,
    stream,
    of,
    async [Symbol.asyncDispose]() {
      await stream.close();
      await reading;
    },
  };
}

/** The view, and what the events make, soon equal a fresh list. */
export async function expectFresh({ cri }: Fixture, view: NodeView, { known }: Awaited<ReturnType<typeof record>>) {
  const byId = <T extends { id: string }>(items: readonly T[]) => new Map(items.map((item) => [item.id, item]));
  const look = async () => {
    const [pods, containers] = await Promise.all([cri.pods.list(), cri.containers.list()]);
    return { pods: byId(pods), containers: byId(containers) };
  };
  const describe = (state: { pods: ReadonlyMap<string, unknown>; containers: ReadonlyMap<string, unknown> }) =>
    [state.pods, state.containers].map((items) => JSON.stringify([...items.values()]));
  await eventually(
    async () => {
      const fresh = await look();
      const asViewed = { pods: new Map(view.pods), containers: new Map(view.containers) };
      // In no order: not even the labels of a pod come in the same order twice.
      const same = isDeepStrictEqual(fresh, asViewed) && isDeepStrictEqual(fresh, known);
      return same ? undefined : { fresh: describe(fresh), viewed: describe(view), told: describe(known) };
    },
    (differing) => differing === undefined,
    30_000,
  );
}
