import { type Container, ContainerState, type PodSandbox, PodSandboxState } from "../../proto.js";
import { containerStateName } from "../container-filter.js";
import { latestAttempt, latestPod, nameOfPod } from "../latest.js";
import { podStateName } from "../pod-filter.js";

/** A pod or container that a name may stand for. */
export interface Candidate {
  readonly kind: "pod" | "container";
  readonly id: string;
  /** `NAMESPACE/POD` or `NAMESPACE/POD/CONTAINER`. */
  readonly path: string;
  readonly state: string;
  /** Whether the pod is ready or the container runs. */
  readonly isActive: boolean;
  /** The pod; for a container, the pod that it is in, unless the pod was removed since the containers were listed. */
  readonly pod: PodSandbox | undefined;
  readonly container?: Container;
}

/** Returns all pods and containers as candidates. */
export function candidatesOf(pods: readonly PodSandbox[], containers: readonly Container[]): Candidate[] {
  const podsById = new Map(pods.map((pod) => [pod.id, pod]));
  return [
    ...pods.map((pod) => candidateOfPod(pod)),
    ...containers.map((container) => candidateOfContainer(container, podsById.get(container.podSandboxId))),
  ];
}

function candidateOfPod(pod: PodSandbox): Candidate {
  const { id, state } = pod;
  const isActive = state === PodSandboxState.SANDBOX_READY;
  return { kind: "pod", id, path: nameOfPod(pod), state: podStateName(state), isActive, pod };
}

function candidateOfContainer(container: Container, pod: PodSandbox | undefined): Candidate {
  const { id, state, metadata, podSandboxId } = container;
  const path = `${pod ? nameOfPod(pod) : podSandboxId}/${metadata?.name}`;
  const isActive = state === ContainerState.CONTAINER_RUNNING;
  return { kind: "container", id, path, state: containerStateName(state), isActive, pod, container };
}

/**
 * Returns whether a candidate has a name: `POD` or `NAMESPACE/POD`, `CONTAINER`, `POD/CONTAINER` or
 * `NAMESPACE/POD/CONTAINER`. The pod of a container may also be the beginning of its id.
 */
export function isNamed({ path, container }: Candidate, name: string): boolean {
  if (path === name || path.endsWith(`/${name}`)) return true;
  const [, pod, ofContainer] = /^([^/]+)\/([^/]+)$/.exec(name) ?? [];
  if (container === undefined || pod === undefined) return false;
  return container.metadata?.name === ofContainer && container.podSandboxId.startsWith(pod);
}

/** Returns the latest attempt of candidates with the same path, in the latest attempt of their pod. */
export function latestOf(candidates: readonly Candidate[]): Candidate | undefined {
  const pod = latestPod(candidates.flatMap((candidate) => candidate.pod ?? []));
  const inPod = candidates.filter((candidate) => candidate.pod === pod);
  const containers = inPod.flatMap(({ container }) => container ?? []);
  if (containers.length === 0) return inPod[0];
  const latest = latestAttempt(containers);
  return inPod.find(({ container }) => container === latest);
}
