import { toDate } from "../../internal/time.js";
import {
  type Container,
  type ContainerEventResponse,
  ContainerState,
  type ContainerStatus,
  type PodSandbox,
  type PodSandboxStatus,
} from "../../proto.js";
import type { NodeState } from "./event.js";

/** A container as an event of the runtime, or an answer, showed it between two looks. */
export interface ContainerSighting {
  readonly podSandboxId: string;
  readonly status: ContainerStatus;
}

/** What was seen between two lists. The lists are the judge of what is; this keeps what has been. */
export interface Sightings {
  readonly pods: Map<string, PodSandboxStatus>;
  readonly containers: Map<string, ContainerSighting>;
}

/** How many containers, how many pods, how many removed ids are kept in mind. */
const keepAtMost = 10_000;

/** Collects what the runtime's events show. */
export class SightingLog {
  /** Ids of removed pods and containers; late events about them are ignored. */
  readonly #removed = new Set<string>();
  #seen: Sightings = { pods: new Map(), containers: new Map() };
  #heard = 0;

  /** How many events have arrived. */
  get heard(): number {
    return this.#heard;
  }

  /** Takes down what an event shows. False if there was no room for it. */
  note(event: ContainerEventResponse): boolean {
    this.#heard++;
    const { podSandboxStatus: pod, containersStatuses } = event;
    if (!pod) return true;
    const { pods, containers } = this.#seen;
    if (pods.size >= keepAtMost || containers.size >= keepAtMost) return false;
    // Of a pod that it has forgotten containerd says nothing but the id.
    if (toDate(pod.createdAt) && !this.#removed.has(pod.id)) pods.set(pod.id, pod);
    for (const status of containersStatuses) {
      const ended = containers.get(status.id)?.status.state === ContainerState.CONTAINER_EXITED;
      if (!ended && !this.#removed.has(status.id)) containers.set(status.id, { podSandboxId: pod.id, status });
    }
    return true;
  }

  /** What was seen since the last time. */
  take(): Sightings {
    const seen = this.#seen;
    this.#seen = { pods: new Map(), containers: new Map() };
    return seen;
  }

  /**
   * What was seen while a look was under way is for the next one, since its lists may be older; but of what they lack and what
   * was known before, it is the last word.
   */
  complete(seen: Sightings, before: NodeState, after: NodeState): void {
    for (const [id, sighting] of this.#seen.containers) {
      const known = seen.containers.has(id) || before.containers.has(id);
      if (known && !after.containers.has(id)) seen.containers.set(id, sighting);
    }
  }

  /**
   * Drops what events showed before the watch made its first lists. Pods and containers that these lists lack had been removed by
   * then: further events about them are ignored.
   */
  dropHistory(history: Sightings, listed: NodeState): void {
    for (const id of history.pods.keys()) if (!listed.pods.has(id)) this.forget(id);
    for (const id of history.containers.keys()) if (!listed.containers.has(id)) this.forget(id);
  }

  /** Ignores a removed pod or container from now on. */
  forget(id: string): void {
    this.#seen.pods.delete(id);
    this.#seen.containers.delete(id);
    this.#removed.add(id);
    for (const oldest of this.#removed) {
      if (this.#removed.size <= keepAtMost) break;
      this.#removed.delete(oldest);
    }
  }
}

/** A pod that no list ever showed, as a list would have. */
export function podOf(status: PodSandboxStatus | undefined): PodSandbox | undefined {
  if (!status) return undefined;
  const { id, metadata, state, createdAt, labels, annotations, runtimeHandler } = status;
  return { id, metadata, state, createdAt, labels, annotations, runtimeHandler };
}

/** A container that no list ever showed, as a list would have. */
export function containerOf(sighting: ContainerSighting | undefined): Container | undefined {
  if (!sighting) return undefined;
  const { podSandboxId, status } = sighting;
  const { id, metadata, image, imageRef, state, createdAt, labels, annotations, imageId } = status;
  return { id, podSandboxId, metadata, image, imageRef, state, createdAt, labels, annotations, imageId };
}
