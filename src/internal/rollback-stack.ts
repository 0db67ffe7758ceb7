/** The steps that roll back a workflow. */
export class RollbackStack {
  readonly #steps: (() => Promise<unknown>)[] = [];

  /** Adds a step, after the operation that it rolls back has succeeded. */
  push(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Runs all steps, the last one first. A failed step does not stop the others. Returns the errors. */
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
