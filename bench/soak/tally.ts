import { inspect } from "node:util";

/** The results of one activity. */
export interface Tally {
  passes: number;
  bytes: number;
  failures: number;
}

/** Counts passes and prints failures when they happen, up to 20 different ones, each once. */
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
