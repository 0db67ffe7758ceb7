import type { Long } from "../../proto.js";

/** The latest measurement of an object and the one before it. */
export interface MeasurementPair<T> {
  readonly previous: T | undefined;
  readonly latest: T | undefined;
}

/**
 * Keeps the last two measurements of each object. Some runtimes (CRI-O) measure at their own interval, so consecutive calls may
 * return the same measurement. A repeated measurement counts once, so that a rate stays constant until the next measurement.
 */
export class MeasurementPairs<T extends { readonly timestamp: Long }> {
  #pairs = new Map<string, MeasurementPair<T>>();
  #round = new Map<string, MeasurementPair<T>>();

  /** Adds a measurement and returns the pair to compute a rate from. */
  add(id: string, measurement: T | undefined): MeasurementPair<T> {
    const known = this.#pairs.get(id);
    const isSame = known?.latest && measurement?.timestamp.equals(known.latest.timestamp);
    const pair = { previous: isSame ? known.previous : known?.latest, latest: measurement };
    this.#round.set(id, pair);
    return pair;
  }

  /** Ends a round, and drops the objects that were not measured in it. */
  endRound(): void {
    this.#pairs = this.#round;
    this.#round = new Map();
  }
}
