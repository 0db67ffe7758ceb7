import { oneOf, requiredString, stringMap } from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import { type PodSandbox, type PodSandboxFilter, PodSandboxState } from "../proto.js";
import { checkId } from "../rpcs/checked.js";
import { hasLabels } from "./container-filter.js";

/** The state of a pod sandbox by name. */
export type PodStateName = "ready" | "notReady";

/** Selects the pods to list. They must match every field. */
export interface PodFilter {
  /** The pod sandbox id or a unique prefix of it. */
  id?: string | undefined;
  state?: PodStateName | undefined;
  /** Labels with exactly these values. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** The pod's name. The client filters by it, because CRI cannot. */
  name?: string | undefined;
  /** The pod's namespace. Filtered by the client. */
  namespace?: string | undefined;
  /** The pod's uid. Filtered by the client. */
  uid?: string | undefined;
}

const states: Readonly<Record<PodStateName, PodSandboxState>> = {
  ready: PodSandboxState.SANDBOX_READY,
  notReady: PodSandboxState.SANDBOX_NOTREADY,
};

/** Returns the name of a pod's state, as filters take it. */
export function podStateName(state: PodSandboxState): PodStateName {
  return state === PodSandboxState.SANDBOX_READY ? "ready" : "notReady";
}

const fields: FieldsOf<PodFilter> = { id: true, state: true, labels: true, name: true, namespace: true, uid: true };

/** Checks a filter and returns its values. @throws InvalidInputError */
export function checkPodFilter(filter: PodFilter) {
  const reader = new ObjectReader(filter, "filter", fields);
  return {
    id: reader.optional("id", checkId),
    state: reader.optional("state", oneOf<PodSandboxState | undefined>, states, undefined),
    labels: reader.read("labels", stringMap),
    name: reader.optional("name", requiredString),
    namespace: reader.optional("namespace", requiredString),
    uid: reader.optional("uid", requiredString),
  };
}

type CheckedFilter = ReturnType<typeof checkPodFilter>;

/**
 * Returns the part of a filter that the runtime applies; undefined for all pods. With an empty filter, cri-dockerd omits pods whose
 * containers were removed by other means than CRI.
 */
export function podFilterMessage({ id, state, labels }: CheckedFilter): PodSandboxFilter | undefined {
  if (id === undefined && state === undefined && Object.keys(labels).length === 0) return undefined;
  return { id: id ?? "", state: state === undefined ? undefined : { state }, labelSelector: labels };
}

/** Returns a function that checks whether a listed pod matches every field of a filter. */
export function podMatcher(filter: PodFilter): (pod: PodSandbox) => boolean {
  const { id, state, labels, name, namespace, uid } = checkPodFilter(filter);
  return (pod) =>
    (id === undefined || pod.id.startsWith(id)) &&
    (state === undefined || pod.state === state) &&
    (name === undefined || pod.metadata?.name === name) &&
    (namespace === undefined || pod.metadata?.namespace === namespace) &&
    (uid === undefined || pod.metadata?.uid === uid) &&
    hasLabels(pod.labels, labels);
}
