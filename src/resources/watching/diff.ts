import { isDeepStrictEqual } from "node:util";
import { toDate } from "../../internal/time.js";
import { type Container, ContainerState, type PodSandbox } from "../../proto.js";
import type { CriEvent, NodeState } from "./event.js";
import { type ContainerSighting, containerOf, podOf, type Sightings } from "./sightings.js";

/** How far a container has come. An unknown one has no process to start any more. */
const stages: Readonly<Record<ContainerState, number>> = {
  [ContainerState.CONTAINER_CREATED]: 0,
  [ContainerState.CONTAINER_RUNNING]: 1,
  [ContainerState.CONTAINER_UNKNOWN]: 1,
  [ContainerState.CONTAINER_EXITED]: 2,
  [ContainerState.UNRECOGNIZED]: 1,
};

/** How far a container in a state has come: created, started, ended. */
const stageOf = (state: ContainerState): number => stages[state] ?? 1;

/**
 * What happened between two looks at a node: the difference between the lists, and what was sighted in between. Applied to the
 * state before, the events give the state after.
 */
export function diff(before: NodeState, after: NodeState, seen: Sightings, now: Date): CriEvent[] {
  const events: CriEvent[] = [];
  const removals: CriEvent[] = [];
  for (const id of idsOf(before.pods, after.pods, seen.pods)) {
    const [was, is] = [before.pods.get(id), after.pods.get(id)];
    const pod = is ?? was ?? podOf(seen.pods.get(id));
    if (!pod) continue;
    if (!was) events.push({ type: "podAdded", pod, at: toDate(pod.createdAt) ?? now });
    else if (is && !isDeepStrictEqual(was, is)) events.push({ type: "podUpdated", pod, at: now });
    if (!is) removals.push({ type: "podRemoved", pod, at: now });
  }
  for (const id of idsOf(before.containers, after.containers, seen.containers)) {
    events.push(...lifeOf(before.containers.get(id), after.containers.get(id), seen.containers.get(id), now));
  }
  return [...events, ...removals];
}

/** What happened to one container. */
function lifeOf(
  was: Container | undefined,
  is: Container | undefined,
  sighting: ContainerSighting | undefined,
  now: Date,
): CriEvent[] {
  const status = sighting?.status;
  const last = is ?? was ?? containerOf(sighting);
  if (!last) return [];
  const gone = !is && status && stageOf(status.state) > stageOf(last.state);
  const container = gone ? { ...last, state: status.state } : last;

  const events: CriEvent[] = [];
  if (!was) events.push({ type: "containerAdded", container, at: toDate(container.createdAt) ?? now });
  const stageBefore = was ? stageOf(was.state) : 0;
  const startedAt = status && toDate(status.startedAt);
  const exited = container.state === ContainerState.CONTAINER_EXITED && stageBefore < 2;
  const started =
    stageBefore < 1 && (container.state === ContainerState.CONTAINER_RUNNING || (exited && startedAt !== undefined));
  if (started) events.push({ type: "containerStarted", container, at: startedAt ?? now });
  if (exited) {
    const end = status?.state === ContainerState.CONTAINER_EXITED ? status : undefined;
    const at = (end && toDate(end.finishedAt)) ?? now;
    events.push({ type: "containerExited", container, exitCode: end?.exitCode, status: end, at });
  }
  const told = !was || started || exited;
  if (is && !told && !isDeepStrictEqual(was, is)) events.push({ type: "containerUpdated", container, at: now });
  if (!is) events.push({ type: "containerRemoved", container, at: now });
  return events;
}

function idsOf(...maps: readonly ReadonlyMap<string, PodSandbox | Container | unknown>[]): Set<string> {
  return new Set(maps.flatMap((map) => [...map.keys()]));
}
