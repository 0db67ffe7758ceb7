/** The steps that roll back what a workflow has done so far. */
export class RollbackStack {
  readonly #steps: (() => Promise<unknown>)[] = [];

  /** Adds the step that rolls back what has just succeeded. */
  push(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Runs all steps, the last one first. A step that fails does not stop the others; their errors are returned. */
  async run(): Promise<unknown[]> {
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
