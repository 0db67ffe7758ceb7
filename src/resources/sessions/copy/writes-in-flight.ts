/** The number of files that are written at the same time. One by one, most of the time is spent waiting for the disk. */
const concurrency = 32;

/** Writes of small files in one folder, several at the same time. The folder must stay open until they are {@link settle}d. */
export class WritesInFlight implements AsyncDisposable {
  /** By the name of the file, the earliest first. */
  readonly #writes = new Map<string, Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** Starts a write, as soon as few enough are in flight, and none to this name. @throws the error of an earlier write */
  async start(name: string, write: () => Promise<void>): Promise<void> {
    await this.#writes.get(name);
    if (this.#writes.size >= concurrency) await this.#writes.values().next().value;
    this.#rethrow();
    const writing = write()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#writes.delete(name));
    this.#writes.set(name, writing);
  }

  /** Waits for all writes. @throws the error of one that has failed */
  async settle(): Promise<void> {
    if (this.#writes.size > 0) await Promise.all(this.#writes.values());
    this.#rethrow();
  }

  #rethrow(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Waits for all writes, whether they fail or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#writes.values());
  }
}
