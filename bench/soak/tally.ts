import { inspect } from "node:util";

/** The results of one activity. */
export interface Tally {
  passes: number;
  bytes: number;
  failures: number;
}

/** Counts the passes and failures of each activity. Prints each different failure once, and at most 20 in total. */
export class Tallies {
  readonly all = new Map<string, Tally>();
  readonly #printed = new Set<string>();

  async count(name: string, pass: () => Promise<number>): Promise<void> {
    const tally = this.all.get(name) ?? { passes: 0, bytes: 0, failures: 0 };
    this.all.set(name, tally);
    try {
      tally.bytes += await pass();
      tally.passes++;
    } catch (error) {
      tally.failures++;
      const message = `${name}: ${error}`;
      if (this.#printed.has(message) || this.#printed.size >= 20) return;
      this.#printed.add(message);
      console.log(`!!! ${name}: ${inspect(error)}`);
    }
  }

  get failures(): number {
    return [...this.all.values()].reduce((sum, { failures }) => sum + failures, 0);
  }
}
