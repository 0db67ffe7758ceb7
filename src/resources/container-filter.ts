import { oneOf, requiredString, stringMap } from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import { type Container, type ContainerFilter as ContainerFilterMessage, ContainerState } from "../proto.js";
import { checkId } from "../rpcs/checked.js";
import { idOf, type PodTarget } from "./target.js";

/** The state of a container by name. */
export type ContainerStateName = "created" | "running" | "exited" | "unknown";

/** Selects the containers to list. They must match every field. */
export interface ContainerFilter {
  /** The container id or a unique prefix of it. */
  id?: string | undefined;
  /** Only the containers of this pod. */
  pod?: PodTarget | undefined;
  state?: ContainerStateName | undefined;
  /** Labels with exactly these values. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** The container's name. The client filters by it, because CRI cannot. */
  name?: string | undefined;
}

/** Selects the containers of a pod to list. They must match every field. */
export type PodContainerFilter = Omit<ContainerFilter, "pod">;

const states: Readonly<Record<ContainerStateName, ContainerState>> = {
  created: ContainerState.CONTAINER_CREATED,
  running: ContainerState.CONTAINER_RUNNING,
  exited: ContainerState.CONTAINER_EXITED,
  unknown: ContainerState.CONTAINER_UNKNOWN,
};

/** Returns the name of a container's state, as filters take it. */
export function containerStateName(state: ContainerState): ContainerStateName {
  const found = Object.entries(states).find(([, value]) => value === state);
  return (found?.[0] ?? "unknown") as ContainerStateName;
}

/** The fields of a {@link PodContainerFilter}. */
export const containersOfPodFields: FieldsOf<PodContainerFilter> = { id: true, state: true, labels: true, name: true };

const fields: FieldsOf<ContainerFilter> = { ...containersOfPodFields, pod: true };

/** Checks a filter and returns its ids and values. @throws InvalidInputError */
export function checkContainerFilter(filter: ContainerFilter) {
  const reader = new ObjectReader(filter, "filter", fields);
  return {
    id: reader.optional("id", checkId),
    podSandboxId: reader.optional("pod", (pod) => idOf(pod, "filter.pod")),
    state: reader.optional("state", oneOf<ContainerState | undefined>, states, undefined),
    labels: reader.read("labels", stringMap),
    name: reader.optional("name", requiredString),
  };
}

type CheckedFilter = ReturnType<typeof checkContainerFilter>;

/** Returns the part of a filter that the runtime applies. */
export function containerFilterMessage({ id, podSandboxId, state, labels }: CheckedFilter): ContainerFilterMessage {
  return {
    id: id ?? "",
    podSandboxId: podSandboxId ?? "",
    state: state === undefined ? undefined : { state },
    labelSelector: labels,
  };
}

/** Returns a function that checks whether a listed container matches every field of a filter. */
export function containerMatcher(filter: ContainerFilter): (container: Container) => boolean {
  const { id, podSandboxId, state, labels, name } = checkContainerFilter(filter);
  return (container) =>
    (id === undefined || container.id.startsWith(id)) &&
    (podSandboxId === undefined || container.podSandboxId.startsWith(podSandboxId)) &&
    (state === undefined || container.state === state) &&
    (name === undefined || container.metadata?.name === name) &&
    hasLabels(container.labels, labels);
}

/** Returns whether labels have all wanted values. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  // Unlike Object.entries, allocates nothing per entry of a long list.
  for (const key in wanted) if (labels[key] !== wanted[key]) return false;
  return true;
}
