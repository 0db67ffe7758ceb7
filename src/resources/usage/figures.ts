import type { FilesystemUsage, IoUsage, MemoryUsage, PsiData, PsiStats, SwapUsage, UInt64Value } from "../../proto.js";
import { Long } from "../../proto.js";
import type { Pair } from "./last-two.js";
import { type CpuReading, cpuCores } from "./rates.js";

/** CPU in use. */
export interface CpuFigures {
  /** Cores busy on average since the measurement before: 0.5 is half a core. `undefined` as {@link cpuCores} says. */
  readonly cores: number | undefined;
  /** The same in percent of one core, as `top` has it: 250 is two cores and a half. */
  readonly percent: number | undefined;
  /** How much processes waited for CPU. Since Kubernetes 1.33. */
  readonly pressure: PressureFigures | undefined;
}

/** Memory in use, in bytes. */
export interface MemoryFigures {
  /** What cannot be reclaimed easily: what eviction and `kubectl top` look at. */
  readonly workingSetBytes: number | undefined;
  /** All memory in use, file cache included. */
  readonly usageBytes: number | undefined;
  /** Anonymous memory. */
  readonly rssBytes: number | undefined;
  /** The limit; `undefined` without one, and where the working set has reached it, as runtimes do not tell the two apart. */
  readonly limitBytes: number | undefined;
  /** Minor page faults since the start. */
  readonly pageFaults: number | undefined;
  /** Page faults since the start that had to read from disk. */
  readonly majorPageFaults: number | undefined;
  /** How much processes waited for memory. Since Kubernetes 1.33. */
  readonly pressure: PressureFigures | undefined;
}

/** Swap in use, in bytes. Since Kubernetes 1.28. */
export interface SwapFigures {
  readonly usedBytes: number | undefined;
  /** What is left up to the limit. */
  readonly availableBytes: number | undefined;
}

/** What a container has written to its own layer; volumes and logs do not count. */
export interface FilesystemFigures {
  /** A path on the file system of the node that it is kept on. */
  readonly mountpoint: string | undefined;
  readonly usedBytes: number | undefined;
  readonly inodesUsed: number | undefined;
}

/** Time spent waiting for a resource (the kernel's PSI; cgroup v2 only), as the runtime gives it. */
export interface PressureFigures {
  /** At least one process waited. */
  readonly some: PressureShare | undefined;
  /** All processes waited at once. */
  readonly full: PressureShare | undefined;
}

/** One measure of waiting. */
export interface PressureShare {
  /** Percent of the last 10 seconds, 0 to 100. */
  readonly avg10: number;
  /** Percent of the last 60 seconds. */
  readonly avg60: number;
  /** Percent of the last 300 seconds. */
  readonly avg300: number;
  /** Since the start: nanoseconds by contract, but some runtimes hand on the kernel's microseconds. */
  readonly total: Long;
}

/** A `CpuUsage` or a `WindowsCpuUsage`. */
export type CpuMeasurement = CpuReading & { readonly psi?: PsiStats | undefined };

/** A wrapped number; one that the runtime left out stays `undefined`. Exact up to 2⁵³, which is nine petabytes. */
export function plain(wrapped: UInt64Value | undefined): number | undefined {
  return wrapped?.value.toUnsigned().toNumber();
}

export function cpuFigures({ previous, latest }: Pair<CpuMeasurement>): CpuFigures | undefined {
  if (!latest) return undefined;
  const cores = cpuCores(previous, latest);
  return { cores, percent: cores === undefined ? undefined : cores * 100, pressure: pressureFigures(latest.psi) };
}

/** From a `MemoryUsage`, or a `WindowsMemoryUsage`, which has less in it. */
export function memoryFigures(memory: Partial<MemoryUsage> | undefined): MemoryFigures | undefined {
  return (
    memory && {
      workingSetBytes: plain(memory.workingSetBytes),
      usageBytes: plain(memory.usageBytes),
      rssBytes: plain(memory.rssBytes),
      limitBytes: limitBytes(memory),
      pageFaults: plain(memory.pageFaults),
      majorPageFaults: plain(memory.majorPageFaults),
      pressure: pressureFigures(memory.psi),
    }
  );
}

/** Beyond this a limit is the kernel's way of saying that there is none. */
const unlimited = Long.ONE.toUnsigned().shiftLeft(62);

/** CRI tells the limit by what is left of it; runtimes say 0 where there is none. */
function limitBytes({ workingSetBytes, availableBytes }: Partial<MemoryUsage>): number | undefined {
  if (!workingSetBytes || !availableBytes || availableBytes.value.isZero()) return undefined;
  const available = availableBytes.value.toUnsigned();
  const limit = available.add(workingSetBytes.value.toUnsigned());
  return available.lessThan(unlimited) && limit.lessThan(unlimited) ? limit.toNumber() : undefined;
}

export function swapFigures(swap: SwapUsage | undefined): SwapFigures | undefined {
  return swap && { usedBytes: plain(swap.swapUsageBytes), availableBytes: plain(swap.swapAvailableBytes) };
}

export function filesystemFigures(layer: FilesystemUsage | undefined): FilesystemFigures | undefined {
  return (
    layer && {
      mountpoint: layer.fsId?.mountpoint || undefined,
      usedBytes: plain(layer.usedBytes),
      inodesUsed: plain(layer.inodesUsed),
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
