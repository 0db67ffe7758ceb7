/** Ctrl-C and the like: the first signal aborts what is going on, so that cleaning up begins; a later one ends the program. */
export class Interruption {
  readonly #controller = new AbortController();
  #exitCode: number | undefined;
  #since = 0;

  constructor() {
    for (const [name, number] of [
      ["SIGINT", 2],
      ["SIGTERM", 15],
      ["SIGHUP", 1],
    ] as const) {
      process.on(name, () => this.#interrupt(name, 128 + number));
    }
  }

  /** Aborted by the first signal; the reason's message is the signal's name. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What the program is to end with if it was interrupted. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Resolves when a signal has come. */
  async wait(): Promise<void> {
    if (this.signal.aborted) return;
    // A timer, for waiting alone does not keep the process.
    const timer = setInterval(() => {}, 2 ** 30);
    await new Promise<void>((resolve) => this.signal.addEventListener("abort", () => resolve(), { once: true }));
    clearInterval(timer);
  }

  #interrupt(name: string, exitCode: number): void {
    if (this.#exitCode === undefined) {
      this.#exitCode = exitCode;
      this.#since = performance.now();
      this.#controller.abort(new Error(name));
      return;
    }
    // Ctrl-C comes twice at once: from the terminal, and passed on by npm.
    if (performance.now() - this.#since < 1_000) return;
    console.error("Interrupted again: what is not removed yet stays.");
    process.exit(exitCode);
  }
}
