import { median } from "../support/statistics.js";

/** The smallest, the middle and the largest of some values. */
export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** What became of one quantity. */
export interface Verdict {
  first: Spread;
  last: Spread;
  /** By how much it grew from the end of the warm-up to the last sample. */
  growth: number;
  /** How much growth passes for none. */
  allowed: number;
  outcome: "flat" | "grows" | "too short to tell";
}

/** Growth that passes for none: so much, or such a part of the median, whichever is more. */
export interface Tolerance {
  absolute: number;
  relative: number;
}

/** The part of the samples that is left out at the beginning: code is compiled and caches are filled then. */
export const warmUp = 0.2;

const fewestSamples = 6;

/**
 * Whether a quantity is flat: the median of the slopes between any two samples (Theil and Sen), which single peaks do not move,
 * times the time from the end of the warm-up to the last sample. Only growth counts.
 */
export function judge(values: readonly number[], tolerance: Tolerance): Verdict {
  const third = Math.ceil(values.length / 3);
  const settled = values.slice(Math.floor(values.length * warmUp));
  const growth = slopeOf(settled) * (settled.length - 1);
  const allowed = Math.max(tolerance.absolute, tolerance.relative * median(settled));
  const enough = settled.length >= fewestSamples;
  return {
    first: spreadOf(values.slice(0, third)),
    last: spreadOf(values.slice(-third)),
    growth,
    allowed,
    outcome: enough ? (growth > allowed ? "grows" : "flat") : "too short to tell",
  };
}

/** Per sample. */
function slopeOf(values: readonly number[]): number {
  const slopes = values.flatMap((later, j) => values.slice(0, j).map((earlier, i) => (later - earlier) / (j - i)));
  return slopes.length > 0 ? median(slopes) : 0;
}

function spreadOf(values: readonly number[]): Spread {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}
