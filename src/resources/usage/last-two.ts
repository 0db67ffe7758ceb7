import type { Long } from "../../proto.js";

/** The latest measurement of a thing and the one before. */
export interface Pair<T> {
  readonly previous: T | undefined;
  readonly latest: T | undefined;
}

/**
 * The last two measurements of each of many things that are measured again and again. Runtimes may answer twice with one and the
 * same measurement (CRI-O measures at a pace of its own); it counts once, so that a rate stays as it is until there is news.
 */
export class LastTwo<T extends { readonly timestamp: Long }> {
  #pairs = new Map<string, Pair<T>>();
  #round = new Map<string, Pair<T>>();

  /** Notes down a measurement; returns the pair to make a rate of. */
  take(id: string, measurement: T | undefined): Pair<T> {
    const known = this.#pairs.get(id);
    const same = known?.latest && measurement?.timestamp.equals(known.latest.timestamp);
    const pair = { previous: same ? known.previous : known?.latest, latest: measurement };
    this.#round.set(id, pair);
    return pair;
  }

  /** Ends a round: what was not measured in it is forgotten. */
  endRound(): void {
    this.#pairs = this.#round;
    this.#round = new Map();
  }
}
