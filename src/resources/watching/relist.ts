import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { type Container, ContainerState } from "../../proto.js";
import { containerStatus, listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";
import { ReplyMemory } from "../../transport/reply-memory.js";
import type { NodeState } from "./event.js";
import type { Observations } from "./observations.js";

/** The number of ContainerStatus calls at a time. */
const maxConcurrentCalls = 8;

/**
 * Lists the pods and containers of a node repeatedly. Those that have not changed are the same objects each time, and so is a whole
 * map in which nothing has changed.
 */
export class NodeLists {
  readonly #pods = new ReplyMemory();
  readonly #containers = new ReplyMemory();
  #last: NodeState = { pods: new Map(), containers: new Map() };

  /**
   * Lists the node. The state contains the pod of every listed container, unless the pod was removed in between. Both lists are
   * fetched at once, which takes less CPU time than one after the other.
   */
  async list(connection: Connection, options: CallOptions): Promise<NodeState> {
    const listPods = async () =>
      byId(await listPodSandboxes(connection, undefined, options, this.#pods), this.#last.pods);
    const [items, listedPods] = await Promise.all([
      listContainers(connection, undefined, options, this.#containers),
      listPods(),
    ]);
    const containers = byId(items, this.#last.containers);
    const isOfNewPod = ({ id, podSandboxId }: Container) =>
      !listedPods.has(podSandboxId) && !this.#last.containers.has(id);
    const pods = containers !== this.#last.containers && items.some(isOfNewPod) ? await listPods() : listedPods;
    this.#last = { pods, containers };
    return this.#last;
  }
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

/** Maps the entries of a list by their ids. Returns the last map, if any, if it has the same entries. */
export function byId<T extends { id: string }>(
  items: readonly T[],
  last?: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  if (items.length === last?.size && items.every((item) => last.get(item.id) === item)) return last;
  return new Map(items.map((item) => [item.id, item]));
}
