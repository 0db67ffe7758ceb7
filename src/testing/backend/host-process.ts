import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { BackendContainer } from "./backend.js";
import { directoryOf, environmentOf, findProgram } from "./host-program.js";
import { ProgramError } from "./program-error.js";
import { exitCodeOf } from "./signals.js";

/** A command that runs on this machine in a process group of its own. */
export class HostProcess {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves with the exit code when the command has ended. Its background processes are then killed. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  #isOver = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    this.stdin = child.stdin;
    this.stdout = child.stdout as Readable;
    this.stderr = child.stderr as Readable;
    // Writing fails if a command ends before it has read all of its input.
    child.stdin?.on("error", () => {});
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.signal("SIGKILL");
        this.#isOver = true;
        resolve(code ?? exitCodeOf(signal ?? "SIGKILL"));
      });
    });
  }

  /** Starts a command with the environment and the working directory of a container. Rejects with a {@link ProgramError}. */
  static async start(container: BackendContainer, command: readonly string[], stdin: boolean): Promise<HostProcess> {
    const file = findProgram(container, command);
    try {
      const child = spawn(file, command.slice(1), {
        argv0: command[0],
        cwd: directoryOf(container),
        env: environmentOf(container),
        detached: true,
        stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
      });
      const process = child.pid === undefined ? undefined : new HostProcess(child);
      await once(child, "spawn");
      return process as HostProcess;
    } catch (error) {
      throw new ProgramError(`unable to start container process: exec ${command[0]}: ${goErrorMessage(error)}`);
    }
  }

  /**
   * Sends a signal to the process, and SIGKILL to its whole group, because the end of process 1 ends all others. SIGTERM replaces
   * a signal that Node.js does not support, such as a real-time signal.
   */
  signal(name: string): void {
    if (this.#isOver) return;
    const known = (Object.hasOwn(constants.signals, name) ? name : "SIGTERM") as NodeJS.Signals;
    try {
      process.kill(known === "SIGKILL" ? -this.pid : this.pid, known);
    } catch {
      // Windows has no process groups, and a group may have ended.
      this.#child.kill(known);
    }
  }
}

/** Returns Go's message for an error of the system. The kernel reports ENOENT for a script without its interpreter. */
function goErrorMessage(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "no such file or directory";
    case "EACCES":
      return "permission denied";
    case "ENOEXEC":
      return "exec format error";
    case "E2BIG":
      return "argument list too long";
    default:
      return "invalid argument";
  }
}
