import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { ContainerState } from "../../proto.js";
import { containerStatus, listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";
import type { NodeState } from "./event.js";
import type { Observations } from "./observations.js";

/** The number of ContainerStatus calls at a time. */
const maxConcurrentCalls = 8;

/**
 * Lists the containers and pods of a node. Containers are listed first, so that the state contains the pod of every listed
 * container unless the pod was removed in between.
 */
export async function relist(connection: Connection, options: CallOptions): Promise<NodeState> {
  const containers = await listContainers(connection, undefined, options);
  const pods = await listPodSandboxes(connection, undefined, options);
  return { pods: byId(pods), containers: byId(containers) };
}

/** Fetches the status of every container that exited between two relists, and adds it to the observations unless an event did. */
export async function observeExits(
  connection: Connection,
  before: NodeState,
  after: NodeState,
  observed: Observations,
  options: CallOptions,
): Promise<void> {
  const exited = [...after.containers.values()].filter(
    ({ id, state }) =>
      state === ContainerState.CONTAINER_EXITED &&
      before.containers.get(id)?.state !== state &&
      observed.containers.get(id)?.status.state !== state,
  );
  const fetchStatuses = async () => {
    for (let container = exited.pop(); container; container = exited.pop()) {
      const { id, podSandboxId } = container;
      const reply = await containerStatus(connection, id, false, options).catch(rethrowOutage);
      if (reply) observed.containers.set(id, { podSandboxId, status: reply.status });
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrentCalls, exited.length) }, fetchStatuses));
}

/** Ignores the error of a container that was removed meanwhile or has a malformed status: its exit is reported without a status. */
function rethrowOutage(error: unknown): undefined {
  if (!CriError.is(error) || CriError.is(error, "UNAVAILABLE", "CLIENT_CLOSED")) throw error;
}

/** Maps the entries of a list by their ids. */
export function byId<T extends { id: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}
