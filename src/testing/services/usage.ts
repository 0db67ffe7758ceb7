import { ContainerState, ContainerStats, Long, PodSandboxStats } from "../../proto.js";
import type { ProcessUsage } from "../backend/backend.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { toLong } from "../state/clock.js";
import type { ContainerRecord } from "../state/containers.js";
import type { PodRecord } from "../state/pods.js";

/*
 * Plausible figures for backends that report none. CPU time grows at a rate that depends on the container; memory varies below
 * its limit; a container that does not run uses nothing.
 */

const mebibyte = 1 << 20;

/** Derives a number from 0 to 1 from an id. */
function fractionOf(id: string): number {
  return Number.parseInt(id.slice(0, 6), 16) / 0xffffff;
}

const wrapped = (value: number | bigint) => ({
  value: typeof value === "bigint" ? Long.fromString(value.toString(), true) : Long.fromNumber(Math.round(value), true),
});

/** Returns the CPU usage of a container in thousandths of a core: 10 to 200. */
function millicores(id: string): number {
  return 10 + Math.round(fractionOf(id) * 190);
}

/** Returns the usage of a running container: measured by the backend, or simulated. */
export function usageOf(container: ContainerRecord, now: bigint): ProcessUsage {
  return (
    container.process?.usage?.() ?? {
      cpuNanoseconds: ((now - container.startedAt) * BigInt(millicores(container.id))) / 1_000n,
      memoryBytes: memory(container, now),
    }
  );
}

function memory(container: ContainerRecord, now: bigint): number {
  const limit = container.linux?.memoryLimitInBytes.toNumber() ?? 0;
  const swing = Math.sin(Number((now / 1_000_000n) % 60_000n) / 5_000);
  const wanted = (8 + 24 * fractionOf(container.id) + 2 * swing) * mebibyte;
  return limit > 0 ? Math.min(wanted, limit * 0.9) : wanted;
}

export function containerUsage(container: ContainerRecord, now: bigint, flavor: FlavorProfile): ContainerStats {
  const timestamp = toLong(now);
  const attributes = {
    id: container.id,
    metadata: container.metadata,
    labels: container.config.labels,
    annotations: container.annotations,
  };
  const isBasic = flavor.containerStats === "basic";
  const writableLayer = isBasic
    ? undefined
    : {
        timestamp,
        fsId: { mountpoint: flavor.imagesDirectory },
        usedBytes: wrapped(8_192),
        inodesUsed: wrapped(3),
      };
  if (container.state !== ContainerState.CONTAINER_RUNNING)
    return ContainerStats.fromPartial({ attributes, writableLayer });
  const { cpuNanoseconds: cpu, memoryBytes: used } = usageOf(container, now);
  const limit = container.linux?.memoryLimitInBytes.toNumber() ?? 0;
  const processor = { timestamp, usageCoreNanoSeconds: wrapped(cpu) };
  const memory = { timestamp, workingSetBytes: wrapped(used) };
  if (isBasic) return ContainerStats.fromPartial({ attributes, cpu: processor, memory });
  return ContainerStats.fromPartial({
    attributes,
    cpu: {
      ...processor,
      usageNanoCores: wrapped((cpu * 1_000_000_000n) / (now - container.startedAt)),
    },
    memory: {
      ...memory,
      availableBytes: wrapped(Math.max(0, limit - used)),
      usageBytes: wrapped(used * 1.1),
      rssBytes: wrapped(used * 0.6),
      pageFaults: wrapped(cpu / 1_000_000n),
      majorPageFaults: wrapped(0),
    },
    writableLayer,
    swap: { timestamp, swapAvailableBytes: wrapped(0), swapUsageBytes: wrapped(0) },
  });
}

export function podUsage(
  pod: PodRecord,
  containers: ContainerStats[],
  now: bigint,
  { defaultInterface }: FlavorProfile,
): PodSandboxStats {
  const timestamp = toLong(now);
  const sum = (pick: (stats: ContainerStats) => Long | undefined) =>
    containers.reduce((total, stats) => total.add(pick(stats) ?? 0), Long.UZERO);
  const age = now - pod.createdAt;
  const { id, metadata, config } = pod;
  return PodSandboxStats.fromPartial({
    attributes: { id, metadata, labels: config.labels, annotations: config.annotations },
    linux: {
      cpu: {
        timestamp,
        usageCoreNanoSeconds: { value: sum((stats) => stats.cpu?.usageCoreNanoSeconds?.value) },
        usageNanoCores: { value: sum((stats) => stats.cpu?.usageNanoCores?.value) },
      },
      memory: {
        timestamp,
        workingSetBytes: { value: sum((stats) => stats.memory?.workingSetBytes?.value) },
        usageBytes: { value: sum((stats) => stats.memory?.usageBytes?.value) },
        rssBytes: { value: sum((stats) => stats.memory?.rssBytes?.value) },
      },
      network: {
        timestamp,
        defaultInterface: {
          name: defaultInterface,
          rxBytes: wrapped(age / 1_000_000n),
          rxErrors: wrapped(0),
          txBytes: wrapped(age / 2_000_000n),
          txErrors: wrapped(0),
        },
      },
      process: { timestamp, processCount: wrapped(1 + containers.length) },
      containers,
    },
  });
}
