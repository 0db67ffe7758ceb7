import { CriError } from "../../errors.js";
import { stringMap } from "../../input/check.js";
import type { CallOptions } from "../../options.js";
import type { ContainerStats, PodSandboxStats } from "../../proto.js";
import { pinDeadline } from "../../rpcs/budget.js";
import { listContainerStats, listPodSandboxStats } from "../../rpcs/stats.js";
import type { Connection } from "../../transport/connection.js";
import { idOf, type PodTarget } from "../target.js";
import {
  type CpuFigures,
  type CpuMeasurement,
  cpuFigures,
  type FilesystemFigures,
  filesystemFigures,
  ioPressure,
  type MemoryFigures,
  memoryFigures,
  type PressureFigures,
  type SwapFigures,
  swapFigures,
  toNumber,
} from "./figures.js";
import { MeasurementPairs } from "./measurement-pairs.js";
import { type InterfaceFigures, type NetworkReading, networkFigures, networkReading } from "./network.js";
import { type ImageIdentity, type PodIdentity, podIdentity, RunningContainers } from "./running-containers.js";

/** Selects pods and their containers, which must match every field. Without any field, selects all. */
export interface UsageFilter {
  /** Only this pod and its containers. */
  pod?: PodTarget | undefined;
  /** Only pods with exactly these labels, and their containers. */
  labels?: Readonly<Record<string, string>> | undefined;
}

/** The resource usage of pods and containers at one time. */
export interface UsageSnapshot {
  /** When the sample began, by the clock of this machine. */
  readonly at: Date;
  /** The running containers, in no particular order. Exited ones are omitted, although runtimes also list their stats. */
  readonly containers: readonly ContainerUsage[];
  /** The pods of these containers, and others for which the runtime has stats. */
  readonly pods: readonly PodUsage[];
  /**
   * The runtime's error if it refused the stats of pods. The figures of the containers are complete even then. containerd refuses
   * the stats of all requested pods if one of these has no cgroup parent.
   */
  readonly podStatsError: CriError | undefined;
}

/** The resource usage of a container. Values that the runtime does not report are `undefined`, never 0. */
export interface ContainerUsage {
  readonly id: string;
  readonly name: string;
  /** How often the container was restarted: 0 for the first container of its name. */
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
  /** `undefined` if the pod was removed while the sample was taken. */
  readonly pod: PodIdentity | undefined;
  /** `undefined` if the pod was removed while the sample was taken, like {@link pod}. */
  readonly image: ImageIdentity | undefined;
  readonly cpu: CpuFigures | undefined;
  readonly memory: MemoryFigures | undefined;
  readonly swap: SwapFigures | undefined;
  readonly filesystem: FilesystemFigures | undefined;
  /** Time that processes spent waiting for input and output. Since Kubernetes 1.33. */
  readonly ioPressure: PressureFigures | undefined;
  /** The runtime's message that contains these figures. */
  readonly stats: ContainerStats;
}

/**
 * The resource usage of a whole pod, which is more than the sum of its containers. Values that the runtime does not report are
 * `undefined`, never 0.
 */
export interface PodUsage extends PodIdentity {
  readonly containers: readonly ContainerUsage[];
  readonly cpu: CpuFigures | undefined;
  readonly memory: MemoryFigures | undefined;
  /** The network interfaces, the one with the pod's main address first; `undefined` with host network. */
  readonly network: readonly InterfaceFigures[] | undefined;
  readonly processCount: number | undefined;
  readonly ioPressure: PressureFigures | undefined;
  /** The runtime's message that contains these figures. */
  readonly stats: PodSandboxStats | undefined;
}

/** Takes snapshots. Rates are computed between each snapshot and the one before it. */
export class UsageSampler {
  readonly #connection: Connection;
  readonly #filter: UsageFilter;
  readonly #labels: Record<string, string>;
  readonly #running: RunningContainers;
  readonly #containerCpu = new MeasurementPairs<CpuMeasurement>();
  readonly #podCpu = new MeasurementPairs<CpuMeasurement>();
  readonly #podNetwork = new MeasurementPairs<NetworkReading>();

  constructor(connection: Connection, filter: UsageFilter) {
    this.#connection = connection;
    this.#filter = filter;
    this.#labels = stringMap(filter.labels, "labels");
    this.#running = new RunningContainers(connection);
    if (filter.pod !== undefined) idOf(filter.pod, "pod");
  }

  async sample(callOptions: CallOptions): Promise<UsageSnapshot> {
    const options = pinDeadline(callOptions);
    const id = this.#filter.pod === undefined ? "" : idOf(this.#filter.pod, "pod");
    const labelSelector = this.#labels;
    const at = new Date();
    const [containerStats, podStats] = await Promise.all([
      listContainerStats(this.#connection, { id: "", podSandboxId: id, labelSelector: {} }, options),
      listPodSandboxStats(this.#connection, { id, labelSelector }, options).catch(toPodStatsError),
      this.#running.update(id, options),
    ]);
    const containers = containerStats
      .filter(({ attributes }) => this.#running.has(attributes?.id ?? ""))
      .map((stats) => this.#container(stats))
      .filter(({ pod }) => this.#matches(pod));
    const failed = podStats instanceof Error;
    const pods = this.#pods(failed ? [] : podStats, containers);
    for (const pairs of [this.#containerCpu, this.#podCpu, this.#podNetwork]) pairs.endRound();
    return { at, containers, pods, podStatsError: failed ? podStats : undefined };
  }

  /** Applies the label filter in the client: the runtime cannot filter containers by the labels of their pods. */
  #matches(pod: PodIdentity | undefined): boolean {
    return Object.entries(this.#labels).every(([key, value]) => pod?.labels[key] === value);
  }

  #container(stats: ContainerStats): ContainerUsage {
    const { id = "", metadata, labels = {} } = stats.attributes ?? {};
    const { name = "", attempt = 0 } = metadata ?? {};
    return {
      ...{ id, name, attempt, labels, pod: this.#running.podOf(id), image: this.#running.imageOf(id) },
      cpu: cpuFigures(this.#containerCpu.add(id, stats.cpu)),
      memory: memoryFigures(stats.memory),
      swap: swapFigures(stats.swap),
      filesystem: filesystemFigures(stats.writableLayer),
      ioPressure: ioPressure(stats.io),
      stats,
    };
  }

  #pods(all: readonly PodSandboxStats[], containers: readonly ContainerUsage[]): PodUsage[] {
    const found = new Map<string, { identity: PodIdentity; stats?: PodSandboxStats; containers: ContainerUsage[] }>();
    for (const stats of all) {
      if (!stats.attributes) continue;
      found.set(stats.attributes.id, { identity: podIdentity(stats.attributes), stats, containers: [] });
    }
    for (const container of containers) {
      if (!container.pod) continue;
      const pod = found.get(container.pod.id) ?? { identity: container.pod, containers: [] };
      found.set(container.pod.id, pod);
      pod.containers.push(container);
    }
    return [...found.values()].map(({ identity, containers, stats }) => {
      const { id } = identity;
      const node = stats?.linux ?? stats?.windows;
      return {
        ...identity,
        containers,
        cpu: cpuFigures(this.#podCpu.add(id, node?.cpu)),
        memory: memoryFigures(node?.memory),
        network: networkFigures(this.#podNetwork.add(id, networkReading(node?.network, node?.cpu))),
        processCount: toNumber(node?.process?.processCount),
        ioPressure: ioPressure(stats?.linux?.io),
        stats,
      };
    });
  }
}

/** Returns an error that affects only the stats of pods, and throws any other. */
function toPodStatsError(error: unknown): CriError {
  if (CriError.is(error) && error.code !== "CLIENT_CLOSED") return error;
  throw error;
}
