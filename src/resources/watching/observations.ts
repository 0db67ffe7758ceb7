import { toDate } from "../../internal/time.js";
import { withToJson } from "../../json/stringify.js";
import {
  Container,
  type ContainerEventResponse,
  ContainerState,
  type ContainerStatus,
  PodSandbox,
  type PodSandboxStatus,
} from "../../proto.js";
import type { NodeState } from "./event.js";

/** A container as an event or a status call reported it between two relists. */
export interface ObservedContainer {
  readonly podSandboxId: string;
  readonly status: ContainerStatus;
}

/**
 * The pods and containers that were observed between two relists, by id. Only the lists decide which objects exist. Observations
 * add only objects that were both created and removed between two relists.
 */
export interface Observations {
  readonly pods: Map<string, PodSandboxStatus>;
  readonly containers: Map<string, ObservedContainer>;
}

/** The limits for observed pods, for observed containers, and for the ids of removed objects. */
const maxEntries = 10_000;

/** Collects observations from the runtime's events until the next relist. */
export class ObservationLog {
  /** Ids of removed pods and containers. Late events about them are ignored. */
  readonly #removed = new Set<string>();
  #observed: Observations = { pods: new Map(), containers: new Map() };
  #eventCount = 0;

  /** The number of events received so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Adds the pod and the containers of an event. Returns false if the log is full. */
  add(event: ContainerEventResponse): boolean {
    this.#eventCount++;
    const { podSandboxStatus: pod, containersStatuses } = event;
    if (!pod) return true;
    const { pods, containers } = this.#observed;
    if (pods.size >= maxEntries || containers.size >= maxEntries) return false;
    // For a pod that containerd has removed already, the event contains only its id.
    if (toDate(pod.createdAt) && !this.#removed.has(pod.id)) pods.set(pod.id, pod);
    for (const status of containersStatuses) {
      const exited = containers.get(status.id)?.status.state === ContainerState.CONTAINER_EXITED;
      if (!exited && !this.#removed.has(status.id)) containers.set(status.id, { podSandboxId: pod.id, status });
    }
    return true;
  }

  /** Returns the observations since the last call, and starts a new collection. */
  take(): Observations {
    const observed = this.#observed;
    this.#observed = { pods: new Map(), containers: new Map() };
    return observed;
  }

  /**
   * Adds observations that arrived during a relist, for containers that existed before it and are missing from its lists: they
   * contain the last status. All other observations are left to the next relist, because the lists may be older than the events.
   */
  complete(observed: Observations, before: NodeState, after: NodeState): void {
    for (const [id, container] of this.#observed.containers) {
      const existed = observed.containers.has(id) || before.containers.has(id);
      if (existed && !after.containers.has(id)) observed.containers.set(id, container);
    }
  }

  /**
   * Drops observations from before the first relist. Observed pods and containers that it did not list were removed before, so
   * further events about them are ignored.
   */
  dropHistory(history: Observations, listed: NodeState): void {
    for (const id of history.pods.keys()) if (!listed.pods.has(id)) this.ignore(id);
    for (const id of history.containers.keys()) if (!listed.containers.has(id)) this.ignore(id);
  }

  /** Ignores a replayed event, and all further ones about its objects that the lists lack: those were removed before. */
  ignoreUnlisted({ podSandboxStatus, containersStatuses }: ContainerEventResponse, listed: NodeState): void {
    if (podSandboxStatus && !listed.pods.has(podSandboxStatus.id)) this.ignore(podSandboxStatus.id);
    for (const { id } of containersStatuses) if (!listed.containers.has(id)) this.ignore(id);
  }

  /** Ignores all further events about a removed pod or container. */
  ignore(id: string): void {
    this.#observed.pods.delete(id);
    this.#observed.containers.delete(id);
    this.#removed.add(id);
    for (const oldest of this.#removed) {
      if (this.#removed.size <= maxEntries) break;
      this.#removed.delete(oldest);
    }
  }
}

/** Converts an observed pod to an entry of a list. */
export function toPod(status: PodSandboxStatus | undefined): PodSandbox | undefined {
  if (!status) return undefined;
  const { id, metadata, state, createdAt, labels, annotations, runtimeHandler } = status;
  return withToJson(PodSandbox, { id, metadata, state, createdAt, labels, annotations, runtimeHandler });
}

/** Converts an observed container to an entry of a list. */
export function toContainer(observed: ObservedContainer | undefined): Container | undefined {
  if (!observed) return undefined;
  const { podSandboxId, status } = observed;
  const { id, metadata, image, imageRef, state, createdAt, labels, annotations, imageId } = status;
  const entry = { id, podSandboxId, metadata, image, imageRef, state, createdAt, labels, annotations, imageId };
  return withToJson(Container, entry);
}
