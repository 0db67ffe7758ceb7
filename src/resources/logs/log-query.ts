import { requiredString, stringMap } from "../../input/check.js";
import { type FieldsOf, ObjectReader } from "../../input/object-reader.js";
import type { Container } from "../../proto.js";
import { listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";
import { containerMatcher } from "../container-filter.js";
import { podMatcher } from "../pod-filter.js";
import { idOf, type PodTarget } from "../target.js";
import type { NodeState } from "../watching/event.js";
import { byId } from "../watching/relist.js";

/** Selects the containers whose logs to read. They must match every field. */
export interface LogQuery {
  /** Containers of this pod. */
  pod?: PodTarget | undefined;
  /** Containers of pods with exactly these labels. */
  podLabels?: Readonly<Record<string, string>> | undefined;
  /** Containers with this name. */
  container?: string | undefined;
  /** Containers with exactly these labels. */
  labels?: Readonly<Record<string, string>> | undefined;
}

const queryFields: FieldsOf<LogQuery> = { pod: true, podLabels: true, container: true, labels: true };

/** A checked query. */
export class LogSelector {
  readonly #podId: string | undefined;
  readonly #podLabels: Record<string, string> | undefined;
  readonly #container: string | undefined;
  readonly #labels: Record<string, string>;

  /** @throws InvalidInputError */
  constructor(query: LogQuery) {
    const checked = new ObjectReader(query, "query", queryFields);
    this.#podId = query.pod === undefined ? undefined : idOf(query.pod, "pod");
    this.#podLabels = checked.optional("podLabels", stringMap);
    this.#container = query.container === undefined ? undefined : checked.read("container", requiredString);
    this.#labels = checked.read("labels", stringMap);
  }

  /** Returns the containers that match. */
  select({ containers, pods }: NodeState): Container[] {
    const isWanted = containerMatcher({ pod: this.#podId, name: this.#container, labels: this.#labels });
    const found = [...containers.values()].filter(isWanted);
    if (!this.#podLabels) return found;
    const isOfPod = podMatcher({ labels: this.#podLabels });
    return found.filter(({ podSandboxId }) => {
      const pod = pods.get(podSandboxId);
      return pod !== undefined && isOfPod(pod);
    });
  }

  /** Lists the containers that may match, and the pods if the query has labels of pods. */
  async list(connection: Connection, signal: AbortSignal): Promise<NodeState> {
    const id = this.#podId ?? "";
    const filter = { id: "", podSandboxId: id, state: undefined, labelSelector: this.#labels };
    const containers = await listContainers(connection, filter, { signal });
    const selector = this.#podLabels && { id, state: undefined, labelSelector: this.#podLabels };
    const pods = selector ? await listPodSandboxes(connection, selector, { signal }) : [];
    return { containers: byId(containers), pods: byId(pods) };
  }
}
