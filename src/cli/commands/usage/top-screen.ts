import { finished } from "node:stream/promises";
import type { Terminal } from "../../terminal.js";

/** The alternate screen without a cursor, and back. */
const enter = "\x1b[?1049h\x1b[?25l";
const leave = "\x1b[?25h\x1b[?1049l";

/** Terminals that know this mode show a frame only when it is complete. */
const synchronized = (text: string) => `\x1b[?2026h${text}\x1b[?2026l`;

/** What a full-screen program learns of its terminal. */
interface ScreenEvents {
  onKey(key: string): void;
  onResize(): void;
}

/** The alternate screen of a terminal, whose keys are read one by one. Closing it restores the terminal, as does an exit. */
export class TopScreen {
  readonly #terminal: Pick<Terminal, "stdin" | "stdout">;
  readonly #onData: (keys: Buffer | string) => void;
  readonly #onResize: () => void;
  readonly #onExit = () => void this.#terminal.stdout.write(leave);
  /** Whether the terminal still has to take a frame. Frames in between are skipped. */
  #isBusy = false;

  constructor(terminal: Pick<Terminal, "stdin" | "stdout">, { onKey, onResize }: ScreenEvents) {
    this.#terminal = terminal;
    this.#onData = (keys) => {
      // A key such as an arrow is an escape sequence, and not the escape key.
      const text = keys.toString();
      for (const key of text.startsWith("\x1b") && text.length > 1 ? [] : text) onKey(key);
    };
    this.#onResize = onResize;
    const { stdin, stdout } = terminal;
    stdout.write(enter);
    stdout.on("resize", this.#onResize);
    process.on("exit", this.#onExit);
    if (stdin.isTTY) {
      stdin.setRawMode?.(true);
      stdin.on("data", this.#onData).resume();
    }
  }

  /** Replaces what the screen shows, line by line, so that it does not flicker. */
  draw(lines: readonly string[]): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const text = lines.map((line) => `${line}\x1b[K`).join("\r\n");
    this.#terminal.stdout.write(synchronized(`\x1b[H${text}\x1b[J`), () => {
      this.#isBusy = false;
    });
  }

  /** Restores the terminal. */
  async close(): Promise<void> {
    const { stdin, stdout } = this.#terminal;
    stdout.off("resize", this.#onResize);
    process.off("exit", this.#onExit);
    if (stdin.isTTY) {
      stdin.off("data", this.#onData).pause();
      stdin.setRawMode?.(false);
    }
    if (!stdout.writable) return;
    await Promise.race([new Promise((resolve) => stdout.write(leave, resolve)), finished(stdout).catch(() => {})]);
  }
}
