import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { ContainerState } from "../../proto.js";
import { containerStatus, listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";
import type { NodeState } from "./event.js";
import type { Sightings } from "./sightings.js";

/** How many statuses are asked for at a time. */
const atATime = 8;

/**
 * What is on the node. Containers are listed first: one that is listed has its pod in the state as well, but for a removed one.
 */
export async function relist(connection: Connection, options: CallOptions): Promise<NodeState> {
  const containers = await listContainers(connection, undefined, options);
  const pods = await listPodSandboxes(connection, undefined, options);
  return { pods: byId(pods), containers: byId(containers) };
}

/** Asks for the status of every container that has exited between two looks, unless an event has shown it. */
export async function exitsBetween(
  connection: Connection,
  before: NodeState,
  after: NodeState,
  seen: Sightings,
  options: CallOptions,
): Promise<void> {
  const exited = [...after.containers.values()].filter(
    ({ id, state }) =>
      state === ContainerState.CONTAINER_EXITED &&
      before.containers.get(id)?.state !== state &&
      seen.containers.get(id)?.status.state !== state,
  );
  const ask = async () => {
    for (let container = exited.pop(); container; container = exited.pop()) {
      const { id, podSandboxId } = container;
      const answer = await containerStatus(connection, id, false, options).catch(unlessAway);
      if (answer) seen.containers.set(id, { podSandboxId, status: answer.status });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, exited.length) }, ask));
}

/** A container that was removed meanwhile, or whose status is no good, has ended all the same. */
function unlessAway(error: unknown): undefined {
  if (!CriError.is(error) || CriError.is(error, "UNAVAILABLE", "CLIENT_CLOSED")) throw error;
}

/** Entries of a list by their ids. */
export function byId<T extends { id: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}
