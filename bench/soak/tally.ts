import { inspect } from "node:util";

/** What one activity has done. */
export interface Tally {
  passes: number;
  bytes: number;
  failures: number;
}

/** Counts passes, and tells of failures as they happen: the same one only once. */
export class Tallies {
  readonly all = new Map<string, Tally>();
  readonly #told = new Set<string>();

  async count(name: string, pass: () => Promise<number>): Promise<void> {
    const tally = this.all.get(name) ?? { passes: 0, bytes: 0, failures: 0 };
    this.all.set(name, tally);
    try {
      tally.bytes += await pass();
      tally.passes++;
    } catch (error) {
      tally.failures++;
      const message = `${name}: ${error}`;
      if (this.#told.has(message) || this.#told.size >= 20) return;
      this.#told.add(message);
      console.log(`!!! ${name}: ${inspect(error)}`);
    }
  }

  get failures(): number {
    return [...this.all.values()].reduce((sum, { failures }) => sum + failures, 0);
  }
}
