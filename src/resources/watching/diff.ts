import { isDeepStrictEqual } from "node:util";
import { toDate } from "../../internal/time.js";
import { withToJson } from "../../json/stringify.js";
import { Container, ContainerState, ContainerStatus } from "../../proto.js";
import type { CriEvent, NodeState } from "./event.js";
import { type Observations, type ObservedContainer, toContainer, toPod } from "./observations.js";

/**
 * The stages of a container: 0 created, 1 started, 2 exited. In the unknown state it cannot be started, so it counts as started.
 */
const stages: Readonly<Record<ContainerState, number>> = {
  [ContainerState.CONTAINER_CREATED]: 0,
  [ContainerState.CONTAINER_RUNNING]: 1,
  [ContainerState.CONTAINER_UNKNOWN]: 1,
  [ContainerState.CONTAINER_EXITED]: 2,
  [ContainerState.UNRECOGNIZED]: 1,
};

const stageOf = (state: ContainerState): number => stages[state] ?? 1;

/**
 * Derives events from the states of two relists and the observations between them. Applied to the state before, the events give
 * the state after.
 */
export function diff(before: NodeState, after: NodeState, observed: Observations, now: Date): CriEvent[] {
  const events: CriEvent[] = [];
  const removals: CriEvent[] = [];
  for (const id of idsOf(before.pods, after.pods, observed.pods)) {
    const [previous, current] = [before.pods.get(id), after.pods.get(id)];
    const pod = current ?? previous ?? toPod(observed.pods.get(id));
    if (!pod) continue;
    if (!previous) events.push({ type: "podAdded", pod, at: toDate(pod.createdAt) ?? now });
    else if (current && !isDeepStrictEqual(previous, current)) events.push({ type: "podUpdated", pod, at: now });
    if (!current) removals.push({ type: "podRemoved", pod, at: now });
  }
  for (const id of idsOf(before.containers, after.containers, observed.containers)) {
    const [previous, current] = [before.containers.get(id), after.containers.get(id)];
    events.push(...containerEvents(previous, current, observed.containers.get(id), now));
  }
  return [...events, ...removals];
}

/** Returns the events of one container. */
function containerEvents(
  previous: Container | undefined,
  current: Container | undefined,
  observed: ObservedContainer | undefined,
  now: Date,
): CriEvent[] {
  const status = observed?.status;
  const last = current ?? previous ?? toContainer(observed);
  if (!last) return [];
  const advancedBeforeRemoval = !current && status && stageOf(status.state) > stageOf(last.state);
  const container = advancedBeforeRemoval ? withToJson(Container, { ...last, state: status.state }) : last;

  const events: CriEvent[] = [];
  if (!previous) events.push({ type: "containerAdded", container, at: toDate(container.createdAt) ?? now });
  const stageBefore = previous ? stageOf(previous.state) : 0;
  const startedAt = status && toDate(status.startedAt);
  const exited = container.state === ContainerState.CONTAINER_EXITED && stageBefore < 2;
  const started =
    stageBefore < 1 && (container.state === ContainerState.CONTAINER_RUNNING || (exited && startedAt !== undefined));
  if (started) events.push({ type: "containerStarted", container, at: startedAt ?? now });
  if (exited) {
    const exitStatus =
      status?.state === ContainerState.CONTAINER_EXITED ? withToJson(ContainerStatus, status) : undefined;
    const at = (exitStatus && toDate(exitStatus.finishedAt)) ?? now;
    events.push({ type: "containerExited", container, exitCode: exitStatus?.exitCode, status: exitStatus, at });
  }
  if (current && events.length === 0 && !isDeepStrictEqual(previous, current)) {
    events.push({ type: "containerUpdated", container, at: now });
  }
  if (!current) events.push({ type: "containerRemoved", container, at: now });
  return events;
}

/** Returns the ids of the objects that may have changed. A list in which nothing has changed is the same map as before. */
function idsOf(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
  observed: ReadonlyMap<string, unknown>,
): Set<string> {
  const lists = before === after ? [] : [before, after];
  return new Set([...lists, observed].flatMap((map) => [...map.keys()]));
}
