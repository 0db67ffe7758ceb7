import { PassThrough } from "node:stream";
import type { TerminalSize } from "../../streaming/transport.js";
import type { Clock } from "../state/clock.js";
import type { BackendContainer, ContainerEnd, ContainerProcess } from "./backend.js";
import { type Program, runProgram } from "./program.js";
import { exitCodeOf } from "./signals.js";

/** What a scripted container does on a signal: end with this exit code, or ignore the signal. */
export type SignalResponse = number | "ignore";

/** How a container behaves. */
export interface ContainerScript {
  /**
   * The exit code. A promise ends the container when it settles. Without an exit code, the container runs until it is stopped.
   */
  exitCode?: number | Promise<number> | undefined;
  /** How long the container runs before it ends with {@link exitCode}, in milliseconds. @defaultValue 0 */
  afterMs?: number | undefined;
  /** Handles a signal other than SIGKILL. @defaultValue ends with 128 plus the signal's number */
  onSignal?: ((signal: string) => SignalResponse | Promise<SignalResponse>) | undefined;
  /** Output that the container writes when it starts. It goes to the log and to attached clients. */
  stdout?: string | Uint8Array | undefined;
  stderr?: string | Uint8Array | undefined;
  /**
   * Runs as the container, which ends with the exit code that it returns. {@link exitCode} and {@link afterMs} are then ignored.
   */
  program?: Program | undefined;
  /** The reason that the runtime reports for the end, such as `OOMKilled`. */
  reason?: string | undefined;
  /** Makes StartContainer fail with this error message. */
  startError?: string | undefined;
}

/** The main process of a scripted container. */
export class ScriptedProcess implements ContainerProcess {
  readonly ended: Promise<ContainerEnd>;
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr: PassThrough | undefined;
  readonly #sizes = new PassThrough({ objectMode: true });
  readonly #killer = new AbortController();
  #end: (end: ContainerEnd) => void = () => {};
  #stopTimer: () => void = () => {};

  constructor(
    readonly pid: number,
    private readonly script: ContainerScript,
    { config: { stdin, tty }, clock }: Pick<BackendContainer, "config" | "clock">,
  ) {
    this.stderr = tty ? undefined : new PassThrough();
    // A program may continue to write after its container has ended.
    for (const stream of [this.stdin, this.stdout, this.stderr, this.#sizes]) stream?.on("error", () => {});
    if (!stdin) this.stdin.end();
    this.ended = new Promise((resolve) => {
      this.#end = (end) => {
        this.#stopTimer();
        this.#killer.abort(new Error("the container has ended"));
        for (const stream of [this.stdin, this.stdout, this.stderr, this.#sizes]) stream?.end();
        resolve(end);
      };
    });
    this.stdout.write(script.stdout ?? "");
    (this.stderr ?? this.stdout).write(script.stderr ?? "");
    if (script.program) this.#run(script.program, tty);
    else this.#scheduleEnd(clock);
  }

  resize(size: TerminalSize): void {
    if (!this.#sizes.writableEnded) this.#sizes.write(size);
  }

  signal(name: string): void {
    const killed = { exitCode: exitCodeOf(name) };
    if (name === "SIGKILL" || !this.script.onSignal) {
      this.#end(killed);
      return;
    }
    Promise.resolve(this.script.onSignal(name)).then(
      (response) => {
        if (response !== "ignore") this.#end({ exitCode: response });
      },
      () => this.#end(killed),
    );
  }

  #run(program: Program, tty: boolean): void {
    const { stdin, stdout, stderr = stdout } = this;
    const io = { stdin, stdout, stderr, tty, sizes: this.#sizes, signal: this.#killer.signal };
    void runProgram(program, io).then((exitCode) => this.#end({ exitCode, reason: this.script.reason }));
  }

  #scheduleEnd(clock: Clock): void {
    const { exitCode, afterMs = 0, reason } = this.script;
    if (exitCode === undefined || afterMs === Infinity) return;
    this.#stopTimer = clock.startTimer(afterMs, () => {
      Promise.resolve(exitCode).then(
        (code) => this.#end({ exitCode: code, reason }),
        () => this.#end({ exitCode: 255, reason: "Error" }),
      );
    });
  }
}
