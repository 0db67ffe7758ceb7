import { stringMap } from "../input/check.js";
import type { CriStream } from "../internal/stream.js";
import type { CallOptions } from "../options.js";
import type {
  ContainerStats,
  ContainerStatsFilter,
  MetricDescriptor,
  PodSandboxMetrics,
  PodSandboxStats,
  PodSandboxStatsFilter,
} from "../proto.js";
import { callOptionsOf } from "../rpcs/budget.js";
import { checkId } from "../rpcs/checked.js";
import * as rpcs from "../rpcs/stats.js";
import type { Connection } from "../transport/connection.js";
import type { PodTarget } from "./target.js";
import { type ContainerTarget, idOf } from "./target.js";
import { UsageSampler, type UsageSnapshot } from "./usage/snapshot.js";
import { type UsageSnapshotOptions, type UsageWatchOptions, watchUsage } from "./usage/watch.js";

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
    return rpcs.containerStats(this.#connection, idOf(container, "container"), options);
  }

  /**
   * ListContainerStats, of exited containers too where the runtime lists them. Streamed where the runtime can (since Kubernetes
   * 1.36). Entries without an id are left out, with a warning to the client's logger.
   */
  async containers(query: ContainerStatsQuery = {}, options?: CallOptions): Promise<ContainerStats[]> {
    const filter: ContainerStatsFilter = {
      id: query.id === undefined ? "" : checkId(query.id, "filter.id"),
      podSandboxId: query.pod === undefined ? "" : idOf(query.pod, "filter.pod"),
      labelSelector: stringMap(query.labels, "filter.labels"),
    };
    return rpcs.listContainerStats(this.#connection, filter, options);
  }

  /** PodSandboxStats of one pod and its containers. */
  async pod(pod: PodTarget, options?: CallOptions): Promise<PodSandboxStats> {
    return rpcs.podSandboxStats(this.#connection, idOf(pod, "pod"), options);
  }

  /** ListPodSandboxStats. Streamed where the runtime can (since Kubernetes 1.36). */
  async pods(query: PodStatsQuery = {}, options?: CallOptions): Promise<PodSandboxStats[]> {
    const filter: PodSandboxStatsFilter = {
      id: query.id === undefined ? "" : checkId(query.id, "filter.id"),
      labelSelector: stringMap(query.labels, "filter.labels"),
    };
    return rpcs.listPodSandboxStats(this.#connection, filter, options);
  }

  /**
   * What running containers and their pods use, with their names and images. Rates need two samples, so that they are `undefined`
   * here: see {@link watch}.
   */
  async snapshot(options: UsageSnapshotOptions = {}): Promise<UsageSnapshot> {
    return new UsageSampler(this.#connection, options).sample(callOptionsOf(options));
  }

  /**
   * As {@link snapshot}, again and again: at once, without rates, and then every `intervalMs`, with the rates since the snapshot
   * before. A sample is taken when it is due and asked for: a slow reader gets a fresh one, never a queue of old ones.
   *
   * While the runtime is away (`UNAVAILABLE`, `DEADLINE_EXCEEDED`) the stream waits, and tells `onMissed`. It throws if the first
   * sample fails, or three in a row for any other reason, and the signal's reason as soon as that aborts.
   *
   * ```ts
   * for await (const { containers } of cri.stats.watch({ intervalMs: 1_000 })) {
   *   for (const { name, pod, cpu } of containers) console.log(pod?.name, name, cpu?.percent);
   * }
   * ```
   *
   * @throws InvalidInputError at once
   */
  watch(options: UsageWatchOptions = {}): CriStream<UsageSnapshot> {
    return watchUsage(this.#connection, options);
  }

  /** ListMetricDescriptors: names, help and label keys of what {@link podMetrics} reports. Since Kubernetes 1.26. */
  async metricDescriptors(options?: CallOptions): Promise<MetricDescriptor[]> {
    return rpcs.listMetricDescriptors(this.#connection, options);
  }

  /** ListPodSandboxMetrics: the metrics cAdvisor would report, by pod and container. Since Kubernetes 1.26. */
  async podMetrics(options?: CallOptions): Promise<PodSandboxMetrics[]> {
    return rpcs.listPodSandboxMetrics(this.#connection, options);
  }
}
