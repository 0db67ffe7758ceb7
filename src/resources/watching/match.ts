import { type Container, ContainerState, type PodSandbox, PodSandboxState } from "../../proto.js";
import type { ContainerFilter, ContainerStateName } from "../containers.js";
import type { PodFilter } from "../pods.js";
import { idOf } from "../target.js";

/** Whether a listed pod matches everything in a filter. */
export function podMatcher(filter: PodFilter): (pod: PodSandbox) => boolean {
  const { id, state, labels, name, namespace, uid } = filter;
  const wanted = state && (state === "ready" ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY);
  return (pod) =>
    (id === undefined || pod.id.startsWith(id)) &&
    (wanted === undefined || pod.state === wanted) &&
    (name === undefined || pod.metadata?.name === name) &&
    (namespace === undefined || pod.metadata?.namespace === namespace) &&
    (uid === undefined || pod.metadata?.uid === uid) &&
    hasLabels(pod.labels, labels);
}

/** Whether a listed container matches everything in a filter. */
export function containerMatcher(filter: ContainerFilter): (container: Container) => boolean {
  const { id, pod, state, labels, name } = filter;
  const podId = pod === undefined ? undefined : idOf(pod, "filter.pod");
  return (container) =>
    (id === undefined || container.id.startsWith(id)) &&
    (podId === undefined || container.podSandboxId.startsWith(podId)) &&
    (state === undefined || container.state === containerStates[state]) &&
    (name === undefined || container.metadata?.name === name) &&
    hasLabels(container.labels, labels);
}

/** The state of a container in words, and on the wire. */
export const containerStates: Readonly<Record<ContainerStateName, ContainerState>> = {
  created: ContainerState.CONTAINER_CREATED,
  running: ContainerState.CONTAINER_RUNNING,
  exited: ContainerState.CONTAINER_EXITED,
  unknown: ContainerState.CONTAINER_UNKNOWN,
};

function hasLabels(labels: Readonly<Record<string, string>>, wanted: PodFilter["labels"] = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}
