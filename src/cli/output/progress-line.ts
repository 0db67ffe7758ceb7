import type { Terminal } from "../terminal.js";

const clearLine = "\r\x1b[K";

/** A line of progress on stderr, which is replaced until it ends. Shown only on a terminal. Disposing of it clears the line. */
export class ProgressLine implements Disposable {
  /** Whether anybody sees the line. */
  readonly isShown: boolean;
  readonly #output: Terminal["stderr"];
  #isOpen = false;
  #hasEnded = false;

  constructor({ stderr, env }: Pick<Terminal, "stderr" | "env">) {
    this.#output = stderr;
    this.isShown = stderr.isTTY === true && env.TERM !== "dumb";
  }

  /** Replaces the line. A longer text is cut to the width of the terminal. */
  show(text: string): void {
    // The clean-up of an aborted operation may still report progress.
    if (!this.isShown || this.#hasEnded) return;
    this.#isOpen = true;
    this.#output.write(clearLine + text.slice(0, (this.#output.columns ?? 80) - 1));
  }

  /** Replaces the line by its last text. */
  finish(text: string): void {
    if (!this.isShown) return;
    this.#isOpen = false;
    this.#hasEnded = true;
    this.#output.write(`${clearLine}${text}\n`);
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) this.#output.write(clearLine);
    this.#isOpen = false;
    this.#hasEnded = true;
  }
}
