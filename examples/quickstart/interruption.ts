/** Handles Ctrl-C and similar signals: the first one starts the clean-up, a second one ends the program at once. */
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

  /** Aborts on the first signal. The message of its reason is the name of the signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code of an interrupted program. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Resolves on the first signal. */
  async wait(): Promise<void> {
    if (this.signal.aborted) return;
    // A pending promise does not keep the process alive, but a timer does.
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
    // Ctrl-C arrives twice: from the terminal and forwarded by npm.
    if (performance.now() - this.#since < 1_000) return;
    console.error("Interrupted again: exiting before the clean-up is complete.");
    process.exit(exitCode);
  }
}
