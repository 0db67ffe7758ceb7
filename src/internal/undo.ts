/** Steps taken so far and how to take them back, last one first. */
export class UndoStack {
  readonly #steps: (() => Promise<unknown>)[] = [];

  /** Remembers how to undo a step that has just succeeded. */
  push(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Undoes everything in reverse order, going on past failures, and returns those failures. */
  async undo(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }
}
