import type { Duplex } from "node:stream";
import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { onAbort } from "../../internal/abort.js";
import type { BackendContainer, BackendPod, ContainerBackend, ContainerProcess, ExecOutcome } from "./backend.js";
import { hostnameOf, notFoundInPath, planCommand } from "./commands.js";
import { collectOutput, type Program, runProgram } from "./program.js";
import { ProgramError } from "./program-error.js";
import type { ProgramIo } from "./program-io.js";
import { type ContainerScript, ScriptedProcess } from "./scripted-process.js";

/** The result of a scripted command. Omitted outputs are empty; the default exit code is 0. */
export interface ExecScript {
  exitCode?: number | undefined;
  stdout?: string | Uint8Array | undefined;
  stderr?: string | Uint8Array | undefined;
}

/** A result of {@link BackendScripts.exec}. */
export type ExecAnswer = ExecScript | Program | undefined;

/** The hooks of a {@link ScriptedBackend}. */
export interface BackendScripts {
  /** Returns how a container behaves; `undefined` selects the default. */
  run?: ((container: BackendContainer) => ContainerScript | undefined) | undefined;
  /**
   * Runs a command of ExecSync or of a session. Returns its result, or a function that acts as the command; `undefined` selects
   * the default. The signal aborts when the command must end.
   */
  exec?:
    | ((
        container: BackendContainer,
        command: readonly string[],
        signal: AbortSignal,
      ) => ExecAnswer | Promise<ExecAnswer>)
    | undefined;
  /** Connects to a port of a pod; `undefined` means that no process listens there. @defaultValue no port listens */
  portForward?: ((pod: BackendPod, port: number) => Duplex | undefined | Promise<Duplex | undefined>) | undefined;
}

export const scriptFields: FieldsOf<BackendScripts> = { run: true, exec: true, portForward: true };

/**
 * Simulates containers with scripts, without running anything. A container without a script runs until it is stopped, unless its
 * command ends by itself: `true`, `false`, `sleep N`, `sh -c "exit N"` and the like.
 */
export class ScriptedBackend implements ContainerBackend {
  readonly #scripts: BackendScripts;
  readonly #running = new Set<ScriptedProcess>();
  /** Scripts of containers that were created but not started. */
  readonly #prepared = new Map<string, ContainerScript>();
  #lastPid = 1_000;

  constructor(scripts: BackendScripts = {}) {
    checkOptions(scripts, scriptFields);
    this.#scripts = scripts;
  }

  /** Calls the script when the container is created, for runtimes that refuse to create a container that they cannot start. */
  create(container: BackendContainer): void {
    this.#prepared.set(container.id, this.#scriptOf(container));
  }

  start(container: BackendContainer): ContainerProcess {
    const script = this.#prepared.get(container.id) ?? this.#scriptOf(container);
    this.#prepared.delete(container.id);
    const process = new ScriptedProcess(++this.#lastPid, script, container);
    this.#running.add(process);
    void process.ended.then(() => this.#running.delete(process));
    return process;
  }

  #scriptOf(container: BackendContainer): ContainerScript {
    const script = this.#scripts.run?.(container) ?? defaultScript(container);
    if (script.startError !== undefined) throw new Error(script.startError);
    return script;
  }

  execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome> {
    return collectOutput(signal, (io) => this.exec(container, command, io));
  }

  async exec(container: BackendContainer, command: readonly string[], io: ProgramIo): Promise<number> {
    const { signal } = io;
    const answer = await raceAbort(this.#scripts.exec?.(container, command, signal), signal);
    if (typeof answer === "function") return raceAbort(runProgram(answer, io), signal);
    const plan = answer ? { durationMs: 0, ...answer } : planCommand(command, hostnameOf(container));
    if (!plan) {
      const reason = command.length === 0 ? "args must not be empty" : notFoundInPath(command[0] as string);
      throw new ProgramError(reason);
    }
    // A test may use fake timers, so a command that takes no time must not start a timer.
    if (plan.durationMs > 0) await container.clock.sleep(plan.durationMs, signal);
    io.stdout.write(toBytes(plan.stdout));
    io.stderr.write(toBytes(plan.stderr));
    return plan.exitCode ?? 0;
  }

  portForward(pod: BackendPod, port: number): Duplex | undefined | Promise<Duplex | undefined> {
    return this.#scripts.portForward?.(pod, port);
  }

  dispose(): void {
    for (const process of [...this.#running]) process.signal("SIGKILL");
  }
}

function defaultScript(container: BackendContainer): ContainerScript {
  const plan = planCommand(container.command, hostnameOf(container));
  // A shell without a script keeps running, like a container that is kept for exec.
  return plan ? { ...plan, afterMs: plan.durationMs } : {};
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
