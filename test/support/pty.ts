/**
 * Programs in a real pseudo-terminal, with an emulated screen: tests type keys and see what a person would see.
 *
 * @module
 */
import { EventEmitter, once } from "node:events";
import { type IPty, spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";

/** How a program is started. */
export interface PtyOptions {
  /** @defaultValue 100 */
  readonly columns?: number;
  /** @defaultValue 30 */
  readonly rows?: number;
  /** Added to a small environment: `PATH`, `TERM`, `HOME`, `LANG`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** How a program ended. */
export interface PtyExit {
  readonly exitCode: number;
  /** The number of the signal that ended it; 0 if none did. */
  readonly signal: number;
}

/** Far more than a program needs, even on a busy machine. */
const timeoutMs = 60_000;

/** A program in a pseudo-terminal. Disposing of it ends the program. */
export class Pty implements AsyncDisposable {
  readonly #pty: IPty;
  readonly #screen: xterm.Terminal;
  readonly #changes = new EventEmitter<{ change: [] }>();
  #output = "";
  #exit: PtyExit | undefined;

  /** Starts a program. */
  static start([program = "sh", ...args]: readonly string[], options: PtyOptions = {}): Pty {
    return new Pty(program, args, options);
  }

  private constructor(program: string, args: string[], { columns = 100, rows = 30, env, cwd }: PtyOptions) {
    const { PATH = "", HOME = "/" } = process.env;
    this.#changes.setMaxListeners(0);
    this.#screen = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
    this.#pty = spawn(program, args, {
      ...{ name: "xterm-256color", cols: columns, rows, cwd: cwd ?? process.cwd() },
      env: { PATH, HOME, TERM: "xterm-256color", LANG: "C.UTF-8", ...env },
    });
    this.#pty.onData((data) => {
      this.#output += data;
      this.#screen.write(data, () => void this.#changes.emit("change"));
    });
    // Programs may ask the terminal for the position of the cursor and the like.
    this.#screen.onData((reply) => this.#pty.write(reply));
    this.#pty.onExit(({ exitCode, signal = 0 }) => {
      this.#exit = { exitCode, signal };
      this.#screen.write("", () => void this.#changes.emit("change"));
    });
  }

  /** Everything that the program wrote, with its control sequences. */
  get output(): string {
    return this.#output;
  }

  /** What a person can see and scroll back to: lines without trailing blanks. Lines that the terminal wrapped are one line. */
  get text(): string {
    return this.#lines(0);
  }

  /** What a person sees without scrolling back. */
  get screen(): string {
    return this.#lines(this.#screen.buffer.active.baseY);
  }

  /** Whether the program shows the alternate screen, as full-screen programs do. */
  get isAlternateScreen(): boolean {
    return this.#screen.buffer.active.type === "alternate";
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Types keys: `"ls\r"` is a command line, `"\x03"` is ctrl-c. */
  type(keys: string): void {
    this.#pty.write(keys);
  }

  /** Changes the size of the window, which the program is notified of. */
  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Sends a signal to the program. */
  signal(name: NodeJS.Signals): void {
    this.#pty.kill(name);
  }

  /** Waits until {@link text} contains a string or matches a pattern. @throws with the text, if the program ends before that */
  waitFor(wanted: string | RegExp): Promise<void> {
    const found = () => (typeof wanted === "string" ? this.text.includes(wanted) : wanted.test(this.text));
    return this.waitUntil(found, String(wanted));
  }

  /** Waits until a condition of the screen holds. It is checked after each change. */
  async waitUntil(condition: () => boolean, what: string): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (!condition()) {
      if (this.#exit) throw new Error(`the program ended before ${what}; the terminal shows:\n${this.text}`);
      await once(this.#changes, "change", { signal }).catch(() => {
        throw new Error(`no ${what} within ${timeoutMs / 1_000} s; the terminal shows:\n${this.text}`);
      });
    }
  }

  /** Waits until the program ends. */
  async exit(): Promise<PtyExit> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (!this.#exit) {
      await once(this.#changes, "change", { signal }).catch(() => {
        throw new Error(`the program has not ended within ${timeoutMs / 1_000} s; the terminal shows:\n${this.text}`);
      });
    }
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#exit) this.#pty.kill("SIGKILL");
    await this.exit();
    this.#screen.dispose();
  }

  #lines(from: number): string {
    const { active } = this.#screen.buffer;
    let text = "";
    for (let row = from; row < active.length; row++) {
      const line = active.getLine(row);
      if (!line) continue;
      const isContinued = active.getLine(row + 1)?.isWrapped === true;
      text += isContinued ? line.translateToString(false) : `${line.translateToString(true)}\n`;
    }
    return text.trimEnd();
  }
}
