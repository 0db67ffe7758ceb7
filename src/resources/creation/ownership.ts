/** The ownership of a pod or container: its handle disposes of the object once, unless it releases the object first. */
export class Ownership {
  #disposal: Promise<void> | undefined;
  #released = false;

  /** Runs the disposal. Calls during it and after its success share this one run. Does nothing after {@link release}. */
  dispose(remove: () => Promise<void>): Promise<void> {
    if (this.#released) return Promise.resolve();
    this.#disposal ??= remove().catch((error: unknown) => {
      // A failed disposal can be repeated.
      this.#disposal = undefined;
      throw error;
    });
    return this.#disposal;
  }

  /** Gives up the ownership: later disposals do nothing. */
  release(): void {
    this.#released = true;
  }
}

/** The time limit of a disposal beyond the grace period, in milliseconds. The caller's time limit may be over by then. */
export const disposeTimeoutMs = 60_000;
