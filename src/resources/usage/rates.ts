import type { CpuUsage, Long } from "../../proto.js";

/** A counter as it stood at some time, in nanoseconds since 1970. A time of zero or less is none. */
export interface Reading {
  readonly at: Long;
  readonly counter: Long | undefined;
}

/**
 * How much a counter grew per nanosecond between two readings. The differences are taken in 64 bits, so that large counters
 * lose nothing. `undefined` where there is nothing to tell: a reading or its time is missing, no time has passed, or the counter
 * went back because what it counts was restarted.
 */
export function growth(previous: Reading | undefined, current: Reading | undefined): number | undefined {
  if (!previous?.counter || !current?.counter) return undefined;
  if (previous.at.lessThanOrEqual(0) || current.at.lessThanOrEqual(previous.at)) return undefined;
  const [from, to] = [previous.counter.toUnsigned(), current.counter.toUnsigned()];
  if (to.lessThan(from)) return undefined;
  return to.subtract(from).toNumber() / current.at.subtract(previous.at).toNumber();
}

/** The part of a CPU measurement that rates are made of; a `CpuUsage` or `WindowsCpuUsage` has it. */
export type CpuReading = Pick<CpuUsage, "timestamp" | "usageCoreNanoSeconds">;

/**
 * How many cores were busy on average between two measurements of one container or pod: 0.5 is half a core, 2 are two cores.
 * Exact in 64 bits. `undefined`, and never 0, where it cannot be told: a measurement, its CPU time or its timestamp is missing,
 * both bear the same timestamp, or the CPU time went back because the container was restarted.
 *
 * ```ts
 * const before = await cri.stats.container(id);
 * await setTimeout(1_000);
 * const cores = cpuCores(before.cpu, (await cri.stats.container(id)).cpu);
 * ```
 */
export function cpuCores(previous: CpuReading | undefined, current: CpuReading | undefined): number | undefined {
  return growth(toReading(previous), toReading(current));
}

function toReading(cpu: CpuReading | undefined): Reading | undefined {
  return cpu && { at: cpu.timestamp, counter: cpu.usageCoreNanoSeconds?.value };
}
