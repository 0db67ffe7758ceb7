import { median } from "../support/statistics.js";

/** The minimum, median and maximum of values. */
export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** The verdict on one quantity. */
export interface Verdict {
  first: Spread;
  last: Spread;
  /** Growth from the end of the warm-up to the last sample. */
  growth: number;
  /** The growth up to which the quantity is flat. */
  allowed: number;
  outcome: "flat" | "grows" | "too few samples";
}

/** Allowed growth: an absolute amount or a part of the median, whichever is larger. */
export interface Tolerance {
  absolute: number;
  relative: number;
}

/** The part of the samples that is ignored at the beginning, while code is compiled and caches are filled. */
export const warmUp = 0.2;

const fewestSamples = 6;

/**
 * Judges whether a quantity is flat. The growth is the median of the slopes between any two samples (Theil–Sen estimator),
 * multiplied by the time from the end of the warm-up to the last sample. Single peaks do not change that median. A decrease counts as flat.
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
    outcome: enough ? (growth > allowed ? "grows" : "flat") : "too few samples",
  };
}

/** Returns the growth per sample. */
function slopeOf(values: readonly number[]): number {
  const slopes = values.flatMap((later, j) => values.slice(0, j).map((earlier, i) => (later - earlier) / (j - i)));
  return slopes.length > 0 ? median(slopes) : 0;
}

function spreadOf(values: readonly number[]): Spread {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}
