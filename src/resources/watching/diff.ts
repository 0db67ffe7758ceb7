import { isDeepStrictEqual } from "node:util";
import { toDate } from "../../internal/time.js";
import { type Container, ContainerState } from "../../proto.js";
import type { CriEvent, NodeState } from "./event.js";
import { type Observations, type ObservedContainer, toContainer, toPod } from "./observations.js";

/** The stages of a container: 0 created, 1 started, 2 exited. A container in the unknown state cannot be started any more. */
const stages: Readonly<Record<ContainerState, number>> = {
  [ContainerState.CONTAINER_CREATED]: 0,
  [ContainerState.CONTAINER_RUNNING]: 1,
  [ContainerState.CONTAINER_UNKNOWN]: 1,
  [ContainerState.CONTAINER_EXITED]: 2,
  [ContainerState.UNRECOGNIZED]: 1,
};

const stageOf = (state: ContainerState): number => stages[state] ?? 1;

/**
 * Derives events from two relists and from what was observed between them. The events, applied to the state before, give the
 * state after.
 */
export function diff(before: NodeState, after: NodeState, observed: Observations, now: Date): CriEvent[] {
  const events: CriEvent[] = [];
  const removals: CriEvent[] = [];
  for (const id of idsOf(before.pods, after.pods, observed.pods)) {
    const [was, is] = [before.pods.get(id), after.pods.get(id)];
    const pod = is ?? was ?? toPod(observed.pods.get(id));
    if (!pod) continue;
    if (!was) events.push({ type: "podAdded", pod, at: toDate(pod.createdAt) ?? now });
    else if (is && !isDeepStrictEqual(was, is)) events.push({ type: "podUpdated", pod, at: now });
    if (!is) removals.push({ type: "podRemoved", pod, at: now });
  }
  for (const id of idsOf(before.containers, after.containers, observed.containers)) {
    const [was, is] = [before.containers.get(id), after.containers.get(id)];
    events.push(...containerEvents(was, is, observed.containers.get(id), now));
  }
  return [...events, ...removals];
}

/** The events of one container. */
function containerEvents(
  was: Container | undefined,
  is: Container | undefined,
  observed: ObservedContainer | undefined,
  now: Date,
): CriEvent[] {
  const status = observed?.status;
  const last = is ?? was ?? toContainer(observed);
  if (!last) return [];
  const advancedBeforeRemoval = !is && status && stageOf(status.state) > stageOf(last.state);
  const container = advancedBeforeRemoval ? { ...last, state: status.state } : last;

  const events: CriEvent[] = [];
  if (!was) events.push({ type: "containerAdded", container, at: toDate(container.createdAt) ?? now });
  const stageBefore = was ? stageOf(was.state) : 0;
  const startedAt = status && toDate(status.startedAt);
  const exited = container.state === ContainerState.CONTAINER_EXITED && stageBefore < 2;
  const started =
    stageBefore < 1 && (container.state === ContainerState.CONTAINER_RUNNING || (exited && startedAt !== undefined));
  if (started) events.push({ type: "containerStarted", container, at: startedAt ?? now });
  if (exited) {
    const exitStatus = status?.state === ContainerState.CONTAINER_EXITED ? status : undefined;
    const at = (exitStatus && toDate(exitStatus.finishedAt)) ?? now;
    events.push({ type: "containerExited", container, exitCode: exitStatus?.exitCode, status: exitStatus, at });
  }
  if (is && events.length === 0 && !isDeepStrictEqual(was, is)) {
    events.push({ type: "containerUpdated", container, at: now });
  }
  if (!is) events.push({ type: "containerRemoved", container, at: now });
  return events;
}

function idsOf(...maps: readonly ReadonlyMap<string, unknown>[]): Set<string> {
  return new Set(maps.flatMap((map) => [...map.keys()]));
}
