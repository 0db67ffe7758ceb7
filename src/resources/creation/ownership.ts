/**
 * The life of an owned object: disposed of once, or let go. Both the pod and the container handle hold one.
 */
export class Ownership {
  #disposal: Promise<void> | undefined;
  #released = false;

  /** Runs the disposal; calls during it or after it has succeeded share that one run. Does nothing after {@link release}. */
  dispose(remove: () => Promise<void>): Promise<void> {
    if (this.#released) return Promise.resolve();
    this.#disposal ??= remove().catch((error: unknown) => {
      // What failed has left something, and may be tried again.
      this.#disposal = undefined;
      throw error;
    });
    return this.#disposal;
  }

  /** Gives up ownership: disposal does nothing from now on. */
  release(): void {
    this.#released = true;
  }
}

/** How long disposing of an object may take beyond its grace period. It has its own budget: the caller's may be spent. */
export const disposeTimeoutMs = 60_000;
