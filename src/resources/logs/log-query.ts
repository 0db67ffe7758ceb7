import { refuse, requiredString, stringMap } from "../../input/check.js";
import { type FieldsOf, ObjectReader } from "../../input/object-reader.js";
import type { Container } from "../../proto.js";
import { listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";
import { containerMatcher } from "../container-filter.js";
import { podMatcher } from "../pod-filter.js";
import { type ContainerTarget, idOf, type PodTarget } from "../target.js";
import type { NodeState } from "../watching/event.js";
import { byId } from "../watching/relist.js";

/** Selects the containers whose logs to read. They must match every field. */
export interface LogQuery {
  /** This container. */
  id?: ContainerTarget | undefined;
  /** Containers of this pod. */
  pod?: PodTarget | undefined;
  /** Containers of pods with exactly these labels. */
  podLabels?: Readonly<Record<string, string>> | undefined;
  /** Containers of pods in this namespace. */
  podNamespace?: string | undefined;
  /** Containers with this name. */
  container?: string | undefined;
  /** Containers with exactly these labels. */
  labels?: Readonly<Record<string, string>> | undefined;
}

const queryFields: FieldsOf<LogQuery> = {
  id: true,
  pod: true,
  podLabels: true,
  podNamespace: true,
  container: true,
  labels: true,
};

/** One or several checked queries. Selects the containers that match any of them. */
export class LogSelector {
  readonly #queries: readonly CheckedQuery[];

  /** @throws InvalidInputError */
  constructor(query: LogQuery | readonly LogQuery[]) {
    const queries = Array.isArray(query) ? (query as readonly LogQuery[]) : [query as LogQuery];
    if (queries.length === 0) refuse("query", "must have at least one query; leave it out to select all containers");
    this.#queries = queries.map((one, at) => new CheckedQuery(one, queries === query ? `query[${at}]` : "query"));
  }

  /** Returns the containers that match. */
  select(state: NodeState): Container[] {
    const [first = [], ...others] = this.#queries.map((query) => query.select(state));
    return others.length === 0 ? first : [...new Set([...first, ...others.flat()])];
  }

  /** Lists the containers that may match, and the pods if a query has labels of pods. */
  async list(connection: Connection, signal: AbortSignal): Promise<NodeState> {
    const lists = await Promise.all(this.#queries.map((query) => query.list(connection, signal)));
    const containers = byId(lists.flatMap(({ containers }) => [...containers.values()]));
    return { containers, pods: byId(lists.flatMap(({ pods }) => [...pods.values()])) };
  }
}

/** A checked query. */
class CheckedQuery {
  readonly #id: string | undefined;
  readonly #podId: string | undefined;
  /** What pods must have, apart from an id; `undefined` if any pod will do. */
  readonly #ofPods: { labels: Record<string, string>; namespace: string | undefined } | undefined;
  readonly #container: string | undefined;
  readonly #labels: Record<string, string>;

  /** @throws InvalidInputError */
  constructor(query: LogQuery, path: string) {
    const checked = new ObjectReader(query, path, queryFields);
    this.#id = query.id === undefined ? undefined : idOf(query.id, "id", "container");
    this.#podId = query.pod === undefined ? undefined : idOf(query.pod, "pod");
    const labels = checked.optional("podLabels", stringMap);
    const namespace = checked.optional("podNamespace", requiredString);
    this.#ofPods = labels || namespace !== undefined ? { labels: labels ?? {}, namespace } : undefined;
    this.#container = query.container === undefined ? undefined : checked.read("container", requiredString);
    this.#labels = checked.read("labels", stringMap);
  }

  /** Returns the containers that match. */
  select({ containers, pods }: NodeState): Container[] {
    const isWanted = containerMatcher({ id: this.#id, pod: this.#podId, name: this.#container, labels: this.#labels });
    const found = [...containers.values()].filter(isWanted);
    if (!this.#ofPods) return found;
    const isOfPod = podMatcher(this.#ofPods);
    return found.filter(({ podSandboxId }) => {
      const pod = pods.get(podSandboxId);
      return pod !== undefined && isOfPod(pod);
    });
  }

  /** Lists the containers that may match, and the pods if the query has labels or a namespace of pods. */
  async list(connection: Connection, signal: AbortSignal): Promise<NodeState> {
    const id = this.#podId ?? "";
    const filter = { id: this.#id ?? "", podSandboxId: id, state: undefined, labelSelector: this.#labels };
    const containers = await listContainers(connection, filter, { signal });
    const selector = this.#ofPods && { id, state: undefined, labelSelector: this.#ofPods.labels };
    const pods = selector ? await listPodSandboxes(connection, selector, { signal }) : [];
    return { containers: byId(containers), pods: byId(pods) };
  }
}
