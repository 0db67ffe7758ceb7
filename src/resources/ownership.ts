/**
 * The life of an owned object: disposed of at most once, or let go. Both the pod and the container handle hold one.
 */
export class Ownership {
  #disposal: Promise<void> | undefined;
  #released = false;

  /** Runs the disposal once; every later call waits for that one run. Does nothing after {@link release}. */
  dispose(remove: () => Promise<void>): Promise<void> {
    if (this.#released) return Promise.resolve();
    this.#disposal ??= remove();
    return this.#disposal;
  }

  /** Gives up ownership: disposal does nothing from now on. */
  release(): void {
    this.#released = true;
  }
}

/** How long disposing of an object may take beyond its grace period. It has its own budget: the caller's may be spent. */
export const disposeTimeoutMs = 60_000;
