import { checkOptions } from "../input/call-options.js";
import { stringMap } from "../input/check.js";
import { type FieldsOf, object } from "../input/object-reader.js";
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
import { listStream } from "./list-stream.js";
import { type ContainerTarget, idOf, type PodTarget } from "./target.js";
import { type DiskUsage, reportDiskUsage } from "./usage/disk-usage.js";
import { UsageSampler, type UsageSnapshot } from "./usage/snapshot.js";
import { type UsageSnapshotOptions, type UsageWatchOptions, usageSnapshotFields, watchUsage } from "./usage/watch.js";

/** Selects the containers whose stats to list; they must match every field. */
export interface ContainerStatsQuery {
  /** The container's id or a unique prefix of it. */
  id?: string | undefined;
  /** The pod of the containers. */
  pod?: PodTarget | undefined;
  /** Labels with exactly these values. */
  labels?: Readonly<Record<string, string>> | undefined;
}

/** Selects the pods whose stats to list; they must match every field. */
export interface PodStatsQuery {
  /** The pod sandbox's id. */
  id?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
}

const containerQueryFields: FieldsOf<ContainerStatsQuery> = { id: true, pod: true, labels: true };
const podQueryFields: FieldsOf<PodStatsQuery> = { id: true, labels: true };

/**
 * Resource usage: `cri.stats`. Sub-messages that the runtime omits are `undefined`, which is not the same as 0. CPU counters are
 * cumulative, in nanoseconds of one core.
 */
export class Stats {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Returns the stats of one container (ContainerStats). */
  async container(container: ContainerTarget, options?: CallOptions): Promise<ContainerStats> {
    return rpcs.containerStats(this.#connection, idOf(container, "container"), options);
  }

  /**
   * Lists the stats of containers (ListContainerStats), including exited ones on runtimes that list them. The list is streamed if
   * the runtime supports it (since Kubernetes 1.36). Entries without an id are omitted, with a warning to the client's logger.
   */
  async containers(query: ContainerStatsQuery = {}, options?: CallOptions): Promise<ContainerStats[]> {
    return rpcs.listContainerStats(this.#connection, containerStatsFilter(query), options);
  }

  /**
   * Streams the stats of {@link containers} one by one, and keeps none of them. Its limits and errors are those of
   * `containers.iterate`.
   *
   * @throws InvalidInputError at once, for an invalid filter or option
   */
  iterateContainers(query: ContainerStatsQuery = {}, options?: CallOptions): CriStream<ContainerStats> {
    const filter = containerStatsFilter(query);
    return listStream(this.#connection, options, (o) => rpcs.listContainerStatsInParts(this.#connection, filter, o));
  }

  /** Returns the stats of one pod and its containers (PodSandboxStats). */
  async pod(pod: PodTarget, options?: CallOptions): Promise<PodSandboxStats> {
    return rpcs.podSandboxStats(this.#connection, idOf(pod, "pod"), options);
  }

  /** Lists the stats of pods (ListPodSandboxStats). The list is streamed if the runtime supports it (since Kubernetes 1.36). */
  async pods(query: PodStatsQuery = {}, options?: CallOptions): Promise<PodSandboxStats[]> {
    return rpcs.listPodSandboxStats(this.#connection, podStatsFilter(query), options);
  }

  /**
   * Streams the stats of {@link pods} one by one, and keeps none of them. Its limits and errors are those of `containers.iterate`.
   *
   * @throws InvalidInputError at once, for an invalid filter or option
   */
  iteratePods(query: PodStatsQuery = {}, options?: CallOptions): CriStream<PodSandboxStats> {
    const filter = podStatsFilter(query);
    return listStream(this.#connection, options, (o) => rpcs.listPodSandboxStatsInParts(this.#connection, filter, o));
  }

  /**
   * Takes a snapshot of the resource usage of running containers and their pods, with their names and images. Rates need two
   * samples, so they are `undefined` here: see {@link watch}.
   */
  async snapshot(options: UsageSnapshotOptions = {}): Promise<UsageSnapshot> {
    checkOptions(options, usageSnapshotFields);
    return new UsageSampler(this.#connection, options).sample(callOptionsOf(options));
  }

  /**
   * Streams snapshots: the first one at once, without rates, then one every `intervalMs` with the rates since the previous one. A
   * sample is taken when it is due and requested, so a slow consumer gets a fresh one, never a queue of old ones.
   *
   * While the runtime is down (`UNAVAILABLE`, `DEADLINE_EXCEEDED`), the stream keeps retrying and calls `onMissed` with each error.
   * It throws if the first sample fails (unless `waitForRuntime` is set), or if three samples in a row fail for any other reason.
   * It throws the signal's reason as soon as the signal aborts.
   *
   * ```ts
   * for await (const { containers } of cri.stats.watch({ intervalMs: 1_000 })) {
   *   for (const { name, pod, cpu } of containers) console.log(pod?.name, name, cpu?.percent);
   * }
   * ```
   *
   * @throws InvalidInputError at once, for invalid options
   */
  watch(options: UsageWatchOptions = {}): CriStream<UsageSnapshot> {
    return watchUsage(this.#connection, options);
  }

  /**
   * Reports how much disk space images and the writable layers of containers use (ImageFsInfo, ListImages, ListContainerStats), and
   * which images are unused, dangling, or of the same repository. `images.prune` and `containers.prune` free space.
   */
  async diskUsage(options?: CallOptions): Promise<DiskUsage> {
    return reportDiskUsage(this.#connection, options);
  }

  /** Lists the names, help and label keys of the metrics of {@link podMetrics} (ListMetricDescriptors). Since Kubernetes 1.26. */
  async metricDescriptors(options?: CallOptions): Promise<MetricDescriptor[]> {
    return rpcs.listMetricDescriptors(this.#connection, options);
  }

  /** Lists the metrics that cAdvisor would report, by pod and container (ListPodSandboxMetrics). Since Kubernetes 1.26. */
  async podMetrics(options?: CallOptions): Promise<PodSandboxMetrics[]> {
    return rpcs.listPodSandboxMetrics(this.#connection, options);
  }

  /**
   * Streams the metrics of {@link podMetrics} pod by pod, and keeps none of them. Its limits and errors are those of
   * `containers.iterate`.
   *
   * @throws InvalidInputError at once, for an invalid option
   */
  iteratePodMetrics(options?: CallOptions): CriStream<PodSandboxMetrics> {
    return listStream(this.#connection, options, (o) => rpcs.listPodSandboxMetricsInParts(this.#connection, o));
  }
}

function containerStatsFilter(query: ContainerStatsQuery): ContainerStatsFilter {
  object(query, "filter", containerQueryFields);
  return {
    id: query.id === undefined ? "" : checkId(query.id, "filter.id"),
    podSandboxId: query.pod === undefined ? "" : idOf(query.pod, "filter.pod"),
    labelSelector: stringMap(query.labels, "filter.labels"),
  };
}

function podStatsFilter(query: PodStatsQuery): PodSandboxStatsFilter {
  object(query, "filter", podQueryFields);
  return {
    id: query.id === undefined ? "" : checkId(query.id, "filter.id"),
    labelSelector: stringMap(query.labels, "filter.labels"),
  };
}
