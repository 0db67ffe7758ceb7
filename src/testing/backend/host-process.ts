import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { BackendContainer } from "./backend.js";
import { hostnameOf, notFoundInPath } from "./commands.js";
import { exitCodeOf } from "./signals.js";

/** A command that runs on this machine, as a process group of its own. */
export class HostProcess {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles with the exit code when the command has ended; what it left behind is killed then. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  #isOver = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    this.stdin = child.stdin;
    this.stdout = child.stdout as Readable;
    this.stderr = child.stderr as Readable;
    // A command need not read its input to the end.
    child.stdin?.on("error", () => {});
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.signal("SIGKILL");
        this.#isOver = true;
        resolve(code ?? exitCodeOf(signal ?? "SIGKILL"));
      });
    });
  }

  /** Starts a command with the environment and the working directory of a container. Rejects in the words of a runtime. */
  static async start(container: BackendContainer, command: readonly string[], stdin: boolean): Promise<HostProcess> {
    const [program = "", ...args] = command;
    const child = spawn(program, args, {
      cwd: directoryOf(container),
      env: environmentOf(container),
      detached: true,
      stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
    });
    const process = child.pid === undefined ? undefined : new HostProcess(child);
    try {
      await once(child, "spawn");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // A folder of the PATH that is closed to this user is no reason either.
      const isMissing = code === "ENOENT" || (code === "EACCES" && !program.includes("/"));
      throw new Error(isMissing ? notFoundInPath(program) : `unable to start container process: ${message}`);
    }
    return process as HostProcess;
  }

  /** Sends a signal to the whole group; SIGTERM for one that Node.js does not know, such as those of real time. */
  signal(name: string): void {
    if (this.#isOver) return;
    const known = (Object.hasOwn(constants.signals, name) ? name : "SIGTERM") as NodeJS.Signals;
    try {
      process.kill(-this.pid, known);
    } catch {
      // Windows has no groups; and a group may be gone.
      this.#child.kill(known);
    }
  }
}

/** Containers do not see the environment of their runtime; programs are to be found all the same. */
function environmentOf(container: BackendContainer): Record<string, string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin", SystemRoot } = process.env;
  const own = container.config.envs.map(({ key, value }) => [key, value]);
  const given = { ...container.imageEnv, ...Object.fromEntries(own) };
  return { PATH, HOSTNAME: hostnameOf(container), ...(SystemRoot && { SystemRoot }), ...given };
}

function directoryOf({ config: { workingDir } }: BackendContainer): string {
  return workingDir && statSync(workingDir, { throwIfNoEntry: false })?.isDirectory() ? workingDir : tmpdir();
}
