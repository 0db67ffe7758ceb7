import { onAbort } from "../../internal/abort.js";
import { sleep, startTimer } from "../../internal/timer.js";
import type { BackendContainer, ContainerBackend, ContainerEnd, ContainerProcess, ExecOutcome } from "./backend.js";
import { planCommand } from "./commands.js";

/** What a scripted container does on a signal: end with this exit code, or go on as if nothing had happened. */
export type SignalResponse = number | "ignore";

/** How a container behaves. */
export interface ContainerScript {
  /** The exit code it ends with; a promise ends it when it settles. Without one it runs until it is stopped. */
  exitCode?: number | Promise<number> | undefined;
  /** How long it runs before it ends with {@link exitCode}. @defaultValue 0 */
  afterMs?: number | undefined;
  /** What a signal does to it; SIGKILL is never asked. @defaultValue ends with 128 plus the signal's number */
  onSignal?: ((signal: string) => SignalResponse | Promise<SignalResponse>) | undefined;
  /** What the runtime gives as the reason of the end, such as `OOMKilled`. */
  reason?: string | undefined;
  /** StartContainer fails with this sentence. */
  startError?: string | undefined;
}

/** What a scripted command does. Missing parts are empty, a missing exit code is 0. */
export interface ExecScript {
  exitCode?: number | undefined;
  stdout?: string | Uint8Array | undefined;
  stderr?: string | Uint8Array | undefined;
}

/** The hooks of a {@link ScriptedBackend}. */
export interface BackendScripts {
  /** Says how a container behaves; `undefined` leaves it to the default. */
  run?: ((container: BackendContainer) => ContainerScript | undefined) | undefined;
  /** Answers a command; `undefined` leaves it to the default. The signal aborts when the command is to be killed. */
  exec?:
    | ((
        container: BackendContainer,
        command: readonly string[],
        signal: AbortSignal,
      ) => ExecScript | undefined | Promise<ExecScript | undefined>)
    | undefined;
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGTERM: 15,
};

/**
 * Containers that run nothing and behave as told. Without a script a container runs until it is stopped, unless its command
 * is one that ends: `true`, `false`, `sleep N`, `sh -c "exit N"` and the like.
 */
export class ScriptedBackend implements ContainerBackend {
  readonly #scripts: BackendScripts;
  readonly #running = new Set<ScriptedProcess>();
  #lastPid = 1_000;

  constructor(scripts: BackendScripts = {}) {
    this.#scripts = scripts;
  }

  start(container: BackendContainer): ContainerProcess {
    const script = this.#scripts.run?.(container) ?? defaultScript(container);
    if (script.startError !== undefined) throw new Error(script.startError);
    const process = new ScriptedProcess(++this.#lastPid, script);
    this.#running.add(process);
    void process.ended.then(() => this.#running.delete(process));
    return process;
  }

  async execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome> {
    const script = await raceAbort(this.#scripts.exec?.(container, command, signal), signal);
    if (script) {
      return { exitCode: script.exitCode ?? 0, stdout: toBytes(script.stdout), stderr: toBytes(script.stderr) };
    }
    const plan = planCommand(command, hostnameOf(container));
    if (!plan) {
      const reason = command.length === 0 ? "args must not be empty" : notFoundInPath(command[0] as string);
      throw new Error(`OCI runtime exec failed: exec failed: ${reason}`);
    }
    await sleep(plan.durationMs, signal);
    return { exitCode: plan.exitCode, stdout: toBytes(plan.stdout), stderr: toBytes(plan.stderr) };
  }

  dispose(): void {
    for (const process of [...this.#running]) process.signal("SIGKILL");
  }
}

class ScriptedProcess implements ContainerProcess {
  readonly ended: Promise<ContainerEnd>;
  #end: (end: ContainerEnd) => void = () => {};
  #stopTimer: () => void = () => {};

  constructor(
    readonly pid: number,
    private readonly script: ContainerScript,
  ) {
    this.ended = new Promise((resolve) => {
      this.#end = (end) => {
        this.#stopTimer();
        resolve(end);
      };
    });
    const { exitCode, afterMs = 0, reason } = script;
    if (exitCode === undefined || afterMs === Infinity) return;
    this.#stopTimer = startTimer(afterMs, () => {
      Promise.resolve(exitCode).then(
        (code) => this.#end({ exitCode: code, reason }),
        () => this.#end({ exitCode: 255, reason: "Error" }),
      );
    });
  }

  signal(name: string): void {
    const killed = { exitCode: 128 + (signalNumbers[name] ?? 15) };
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
}

function defaultScript(container: BackendContainer): ContainerScript {
  const plan = planCommand(container.command, hostnameOf(container));
  // A bare shell with nothing to read stays, as a container kept for exec does.
  return plan ? { exitCode: plan.exitCode, afterMs: plan.durationMs } : {};
}

function notFoundInPath(program: string): string {
  return `unable to start container process: exec: "${program}": executable file not found in $PATH`;
}

function hostnameOf({ podConfig }: BackendContainer): string {
  return podConfig.hostname || podConfig.metadata?.name || "localhost";
}

function toBytes(value: string | Uint8Array | undefined): Uint8Array {
  return typeof value === "string" ? Buffer.from(value) : (value ?? new Uint8Array());
}

async function raceAbort<T>(value: T | Promise<T>, signal: AbortSignal): Promise<T> {
  if (!(value instanceof Promise)) return value;
  signal.throwIfAborted();
  let unlisten: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    unlisten = onAbort(signal, () => reject(signal.reason));
  });
  return Promise.race([value, aborted]).finally(unlisten);
}
