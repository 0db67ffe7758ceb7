import type { FilesystemUsage, IoUsage, MemoryUsage, PsiData, PsiStats, SwapUsage, UInt64Value } from "../../proto.js";
import { Long } from "../../proto.js";
import type { MeasurementPair } from "./measurement-pairs.js";
import { type CpuReading, cpuCores } from "./rates.js";

/** The CPU usage of a container or pod. */
export interface CpuFigures {
  /** Average number of busy cores since the previous measurement; 0.5 is half a core. `undefined` as in {@link cpuCores}. */
  readonly cores: number | undefined;
  /** {@link cores} in percent of one core, as in `top`: 250 is 2.5 cores. */
  readonly percent: number | undefined;
  /** Time that processes spent waiting for CPU. Since Kubernetes 1.33. */
  readonly pressure: PressureFigures | undefined;
}

/** Memory usage, in bytes. */
export interface MemoryFigures {
  /** Memory that cannot be reclaimed easily. Eviction and `kubectl top` use this value. */
  readonly workingSetBytes: number | undefined;
  /** All memory in use, including the file cache. */
  readonly usageBytes: number | undefined;
  /** Anonymous memory. */
  readonly rssBytes: number | undefined;
  /** The limit; `undefined` if there is none, or if the working set has reached it: runtimes report both cases in the same way. */
  readonly limitBytes: number | undefined;
  /** Minor page faults since the start. */
  readonly pageFaults: number | undefined;
  /** Page faults since the start that had to read from disk. */
  readonly majorPageFaults: number | undefined;
  /** Time that processes spent waiting for memory. Since Kubernetes 1.33. */
  readonly pressure: PressureFigures | undefined;
}

/** Swap usage, in bytes. Since Kubernetes 1.28. */
export interface SwapFigures {
  readonly usedBytes: number | undefined;
  /** Swap that is left up to the limit. */
  readonly availableBytes: number | undefined;
}

/** Data that a container has written to its own layer. Volumes and logs are not included. */
export interface FilesystemFigures {
  /** A path on the node's file system that stores the layer. */
  readonly mountpoint: string | undefined;
  readonly usedBytes: number | undefined;
  readonly inodesUsed: number | undefined;
}

/** Time spent waiting for a resource (the kernel's PSI; cgroup v2 only), as the runtime reports it. */
export interface PressureFigures {
  /** Time in which at least one process waited. */
  readonly some: PressureShare | undefined;
  /** Time in which all processes waited at once. */
  readonly full: PressureShare | undefined;
}

/** Shares of time spent waiting. */
export interface PressureShare {
  /** Percent of the last 10 seconds, 0 to 100. */
  readonly avg10: number;
  /** Percent of the last 60 seconds. */
  readonly avg60: number;
  /** Percent of the last 300 seconds. */
  readonly avg300: number;
  /** Total time since the start. In nanoseconds by contract, but some runtimes report the kernel's microseconds. */
  readonly total: Long;
}

/** A `CpuUsage` or a `WindowsCpuUsage`. */
export type CpuMeasurement = CpuReading & { readonly psi?: PsiStats | undefined };

/** Unwraps a number; `undefined` if the runtime omitted it. Exact up to 2⁵³, which is 9 petabytes. */
export function toNumber(wrapped: UInt64Value | undefined): number | undefined {
  return wrapped?.value.toUnsigned().toNumber();
}

export function cpuFigures({ previous, latest }: MeasurementPair<CpuMeasurement>): CpuFigures | undefined {
  if (!latest) return undefined;
  const cores = cpuCores(previous, latest);
  return { cores, percent: cores === undefined ? undefined : cores * 100, pressure: pressureFigures(latest.psi) };
}

/** Accepts a `MemoryUsage`, or a `WindowsMemoryUsage`, which has fewer fields. */
export function memoryFigures(memory: Partial<MemoryUsage> | undefined): MemoryFigures | undefined {
  return (
    memory && {
      workingSetBytes: toNumber(memory.workingSetBytes),
      usageBytes: toNumber(memory.usageBytes),
      rssBytes: toNumber(memory.rssBytes),
      limitBytes: limitBytes(memory),
      pageFaults: toNumber(memory.pageFaults),
      majorPageFaults: toNumber(memory.majorPageFaults),
      pressure: pressureFigures(memory.psi),
    }
  );
}

/** The kernel reports limits above this when there is no limit. */
const unlimitedBytes = Long.ONE.toUnsigned().shiftLeft(62);

/**
 * Adds the working set and the available bytes: CRI has no field for the limit. Without a limit, runtimes report 0 available bytes.
 */
function limitBytes({ workingSetBytes, availableBytes }: Partial<MemoryUsage>): number | undefined {
  if (!workingSetBytes || !availableBytes || availableBytes.value.isZero()) return undefined;
  const available = availableBytes.value.toUnsigned();
  const limit = available.add(workingSetBytes.value.toUnsigned());
  return available.lessThan(unlimitedBytes) && limit.lessThan(unlimitedBytes) ? limit.toNumber() : undefined;
}

export function swapFigures(swap: SwapUsage | undefined): SwapFigures | undefined {
  return swap && { usedBytes: toNumber(swap.swapUsageBytes), availableBytes: toNumber(swap.swapAvailableBytes) };
}

export function filesystemFigures(layer: FilesystemUsage | undefined): FilesystemFigures | undefined {
  return (
    layer && {
      mountpoint: layer.fsId?.mountpoint || undefined,
      usedBytes: toNumber(layer.usedBytes),
      inodesUsed: toNumber(layer.inodesUsed),
    }
  );
}

export function ioPressure(io: IoUsage | undefined): PressureFigures | undefined {
  return pressureFigures(io?.psi);
}

function pressureFigures(psi: PsiStats | undefined): PressureFigures | undefined {
  return psi && { some: pressureShare(psi.Some), full: pressureShare(psi.Full) };
}

function pressureShare(data: PsiData | undefined): PressureShare | undefined {
  return data && { avg10: data.Avg10, avg60: data.Avg60, avg300: data.Avg300, total: data.Total };
}
