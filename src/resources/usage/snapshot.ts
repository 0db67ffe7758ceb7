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
  plain,
  type SwapFigures,
  swapFigures,
} from "./figures.js";
import { LastTwo } from "./last-two.js";
import { type InterfaceFigures, type NetworkReading, networkFigures, networkReading } from "./network.js";
import { type ImageIdentity, type PodIdentity, podIdentity, Running } from "./running.js";

/** Whose usage to look at; everything given must match. Without any: that of all. */
export interface UsageFilter {
  /** Only this pod and its containers. */
  pod?: PodTarget | undefined;
  /** Only pods with exactly these labels, and their containers. */
  labels?: Readonly<Record<string, string>> | undefined;
}

/** What pods and containers used at one time. */
export interface UsageSnapshot {
  /** When the runtime was asked, by the clock of this machine. */
  readonly at: Date;
  /** The running containers, in no particular order. Runtimes list the stats of exited ones as well; these are left out. */
  readonly containers: readonly ContainerUsage[];
  /** The pods of these containers, and others that the runtime has stats of. */
  readonly pods: readonly PodUsage[];
  /**
   * Why pods have no figures of their own. containerd refuses them for all pods when one of those it is asked for has no cgroup
   * parent; the containers' figures are not touched by that.
   */
  readonly podStatsError: CriError | undefined;
}

/** What a container uses. What its runtime does not tell is `undefined`, which is not 0. */
export interface ContainerUsage {
  readonly id: string;
  readonly name: string;
  /** How often it was restarted: 0 for the first container of its name. */
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
  /** `undefined` if the pod was removed in the meantime. */
  readonly pod: PodIdentity | undefined;
  /** `undefined` as with {@link pod}. */
  readonly image: ImageIdentity | undefined;
  readonly cpu: CpuFigures | undefined;
  readonly memory: MemoryFigures | undefined;
  readonly swap: SwapFigures | undefined;
  readonly filesystem: FilesystemFigures | undefined;
  /** How much processes waited for input and output. Since Kubernetes 1.33. */
  readonly ioPressure: PressureFigures | undefined;
  /** The message that these figures were made of. */
  readonly stats: ContainerStats;
}

/** What a pod uses as a whole, which is more than the sum of its containers. `undefined` is not 0, as with containers. */
export interface PodUsage extends PodIdentity {
  readonly containers: readonly ContainerUsage[];
  readonly cpu: CpuFigures | undefined;
  readonly memory: MemoryFigures | undefined;
  /** The interface with the pod's main address first; `undefined` with host network. */
  readonly network: readonly InterfaceFigures[] | undefined;
  readonly processCount: number | undefined;
  readonly ioPressure: PressureFigures | undefined;
  /** The message that these figures were made of. */
  readonly stats: PodSandboxStats | undefined;
}

/** Takes one snapshot after the other; rates are those since the one before. */
export class UsageSampler {
  readonly #connection: Connection;
  readonly #filter: UsageFilter;
  readonly #labels: Record<string, string>;
  readonly #running: Running;
  readonly #containerCpu = new LastTwo<CpuMeasurement>();
  readonly #podCpu = new LastTwo<CpuMeasurement>();
  readonly #podNetwork = new LastTwo<NetworkReading>();

  constructor(connection: Connection, filter: UsageFilter) {
    this.#connection = connection;
    this.#filter = filter;
    this.#labels = stringMap(filter.labels, "labels");
    this.#running = new Running(connection);
    if (filter.pod !== undefined) idOf(filter.pod, "pod");
  }

  async sample(callOptions: CallOptions): Promise<UsageSnapshot> {
    const options = pinDeadline(callOptions);
    const id = this.#filter.pod === undefined ? "" : idOf(this.#filter.pod, "pod");
    const labelSelector = this.#labels;
    const at = new Date();
    const [containerStats, podStats] = await Promise.all([
      listContainerStats(this.#connection, { id: "", podSandboxId: id, labelSelector: {} }, options),
      listPodSandboxStats(this.#connection, { id, labelSelector }, options).catch(unlessOver),
      this.#running.update(id, options),
    ]);
    const containers = containerStats
      .filter(({ attributes }) => this.#running.has(attributes?.id ?? ""))
      .map((stats) => this.#container(stats))
      .filter(({ pod }) => this.#wants(pod));
    const failed = podStats instanceof Error;
    const pods = this.#pods(failed ? [] : podStats, containers);
    for (const memory of [this.#containerCpu, this.#podCpu, this.#podNetwork]) memory.endRound();
    return { at, containers, pods, podStatsError: failed ? podStats : undefined };
  }

  /** Containers cannot be asked for by the labels of their pods. */
  #wants(pod: PodIdentity | undefined): boolean {
    return Object.entries(this.#labels).every(([key, value]) => pod?.labels[key] === value);
  }

  #container(stats: ContainerStats): ContainerUsage {
    const { id = "", metadata, labels = {} } = stats.attributes ?? {};
    const { name = "", attempt = 0 } = metadata ?? {};
    return {
      ...{ id, name, attempt, labels, pod: this.#running.podOf(id), image: this.#running.imageOf(id) },
      cpu: cpuFigures(this.#containerCpu.take(id, stats.cpu)),
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
        cpu: cpuFigures(this.#podCpu.take(id, node?.cpu)),
        memory: memoryFigures(node?.memory),
        network: networkFigures(this.#podNetwork.take(id, networkReading(node?.network, node?.cpu))),
        processCount: plain(node?.process?.processCount),
        ioPressure: ioPressure(stats?.linux?.io),
        stats,
      };
    });
  }
}

/** A failure that leaves the containers' figures, or none. */
function unlessOver(error: unknown): CriError {
  if (CriError.is(error) && error.code !== "CLIENT_CLOSED") return error;
  throw error;
}
