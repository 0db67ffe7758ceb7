import { checkId } from "../calls/checked.js";
import * as calls from "../calls/stats.js";
import type { CallOptions } from "../options.js";
import type {
  ContainerStats,
  ContainerStatsFilter,
  MetricDescriptor,
  PodSandboxMetrics,
  PodSandboxStats,
  PodSandboxStatsFilter,
} from "../proto.js";
import type { Connection } from "../transport/connection.js";
import type { PodTarget } from "./target.js";
import { type ContainerTarget, idOf } from "./target.js";

/** Which containers' stats to list; everything given must match. */
export interface ContainerStatsQuery {
  /** The container's id or a unique beginning of it. */
  id?: string | undefined;
  pod?: PodTarget | undefined;
  /** Labels with exactly these values. */
  labels?: Readonly<Record<string, string>> | undefined;
}

/** Which pods' stats to list; everything given must match. */
export interface PodStatsQuery {
  id?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * Resource usage: `cri.stats`. Sub-messages that the runtime leaves out are `undefined`, which is not the same as 0; CPU is
 * cumulative, in nanoseconds of one core.
 */
export class Stats {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** ContainerStats of one container. */
  async container(container: ContainerTarget, options?: CallOptions): Promise<ContainerStats> {
    return calls.containerStats(this.#connection, idOf(container, "container"), options);
  }

  /** ListContainerStats. Streamed where the runtime can (since Kubernetes 1.36). */
  async containers(query: ContainerStatsQuery = {}, options?: CallOptions): Promise<ContainerStats[]> {
    const filter: ContainerStatsFilter = {
      id: query.id === undefined ? "" : checkId(query.id, "filter.id"),
      podSandboxId: query.pod === undefined ? "" : idOf(query.pod, "filter.pod"),
      labelSelector: { ...query.labels },
    };
    return calls.listContainerStats(this.#connection, filter, options);
  }

  /** PodSandboxStats of one pod and its containers. */
  async pod(pod: PodTarget, options?: CallOptions): Promise<PodSandboxStats> {
    return calls.podSandboxStats(this.#connection, idOf(pod, "pod"), options);
  }

  /** ListPodSandboxStats. Streamed where the runtime can (since Kubernetes 1.36). */
  async pods(query: PodStatsQuery = {}, options?: CallOptions): Promise<PodSandboxStats[]> {
    const filter: PodSandboxStatsFilter = {
      id: query.id === undefined ? "" : checkId(query.id, "filter.id"),
      labelSelector: { ...query.labels },
    };
    return calls.listPodSandboxStats(this.#connection, filter, options);
  }

  /** ListMetricDescriptors: names, help and label keys of what {@link podMetrics} reports. Since Kubernetes 1.26. */
  async metricDescriptors(options?: CallOptions): Promise<MetricDescriptor[]> {
    return calls.listMetricDescriptors(this.#connection, options);
  }

  /** ListPodSandboxMetrics: the metrics cAdvisor would report, by pod and container. Since Kubernetes 1.26. */
  async podMetrics(options?: CallOptions): Promise<PodSandboxMetrics[]> {
    return calls.listPodSandboxMetrics(this.#connection, options);
  }
}
