import type { CopyProgress } from "../../../index.js";
import { size } from "../../output/cells.js";

/** Describes the progress of a copy: the number of files and bytes, and the bytes per second. */
export class CopyProgressText {
  readonly #what: string;
  readonly #startedAt = performance.now();
  #last: CopyProgress = { entries: 0, contentBytes: 0 };

  constructor(what: string) {
    this.#what = what;
  }

  during(progress: CopyProgress): string {
    this.#last = progress;
    return `${this.#what}: ${this.#amount()}, ${this.#rate()}`;
  }

  end(): string {
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    return `${this.#what}: copied ${this.#amount()} in ${seconds.toFixed(1)} s`;
  }

  #amount(): string {
    const { entries, contentBytes } = this.#last;
    return `${entries} ${entries === 1 ? "entry" : "entries"}, ${size(contentBytes)}`;
  }

  #rate(): string {
    const seconds = Math.max(0.001, (performance.now() - this.#startedAt) / 1_000);
    return `${size(Math.round(this.#last.contentBytes / seconds))}/s`;
  }
}
