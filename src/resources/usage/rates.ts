import type { CpuUsage, Long } from "../../proto.js";

/** The value of a counter at a time in nanoseconds since 1970. A time of zero or less counts as missing. */
export interface Reading {
  readonly at: Long;
  readonly counter: Long | undefined;
}

/**
 * Computes how much a counter grew per nanosecond between two readings. Differences are computed in 64 bits, so that large counters
 * lose no precision. Returns `undefined` if a reading or its time is missing, no time has passed, or the counter went back because
 * its object was restarted.
 */
export function growthPerNanosecond(previous: Reading | undefined, current: Reading | undefined): number | undefined {
  if (!previous?.counter || !current?.counter) return undefined;
  if (previous.at.lessThanOrEqual(0) || current.at.lessThanOrEqual(previous.at)) return undefined;
  const [from, to] = [previous.counter.toUnsigned(), current.counter.toUnsigned()];
  if (to.lessThan(from)) return undefined;
  return to.subtract(from).toNumber() / current.at.subtract(previous.at).toNumber();
}

/** The fields of a CPU measurement that rates need. `CpuUsage` and `WindowsCpuUsage` have them. */
export type CpuReading = Pick<CpuUsage, "timestamp" | "usageCoreNanoSeconds">;

/**
 * Computes the average number of busy cores between two measurements of one container or pod: 0.5 is half a core. Differences are
 * exact in 64 bits. Returns `undefined`, never 0, if the number cannot be computed: a measurement, its CPU time or its timestamp is
 * missing, both have the same timestamp, or the CPU time went back because the container was restarted.
 *
 * ```ts
 * const before = await container.stats();
 * await setTimeout(1_000);
 * const cores = cpuCores(before.cpu, (await container.stats()).cpu);
 * ```
 */
export function cpuCores(previous: CpuReading | undefined, current: CpuReading | undefined): number | undefined {
  return growthPerNanosecond(toReading(previous), toReading(current));
}

function toReading(cpu: CpuReading | undefined): Reading | undefined {
  return cpu && { at: cpu.timestamp, counter: cpu.usageCoreNanoSeconds?.value };
}
