import { once } from "node:events";
import { connect } from "node:net";
import { type Duplex, PassThrough, type Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { onAbort } from "../../internal/abort.js";
import type { BackendContainer, BackendPod, ContainerBackend, ContainerProcess, ExecOutcome } from "./backend.js";
import { HostProcess } from "./host-process.js";
import { findProgram } from "./host-program.js";
import { usageOf } from "./host-usage.js";
import { collectOutput } from "./program.js";
import type { ProgramIo } from "./program-io.js";

/**
 * **No isolation at all: the commands of containers run on this machine, as the user who runs the tests, and can do anything that
 * user can.** Run only commands that you would type into your own shell. A runtime with this backend listens on unix sockets,
 * named pipes and loopback addresses only, unless `allowRemoteShell` is set.
 *
 * Sessions and logs contain the output of real programs:
 *
 * - A container is a process group, and each exec starts another one. Port-forward connects to this machine's loopback.
 * - An image has a command, an environment and a stop signal. Programs and files are those of this machine: mounts, users,
 *   namespaces and limits are not imitated.
 * - The working directory of a container is used if it exists on this machine, otherwise the folder for temporary files.
 * - There is no pseudo-terminal: `tty` only merges stdout and stderr.
 * - On Linux, statistics are those of a container's first process.
 *
 * When a command ends, its background processes are killed. No process is left when the runtime has stopped, or when this Node.js
 * process exits in an orderly way.
 */
export class HostProcessBackend implements ContainerBackend {
  readonly runsOnHost = true;
  /** Running processes by container. */
  readonly #running = new Map<string, Set<HostProcess>>();
  readonly #onExit = () => this.#killAll();

  /** Fails like {@link start} if the program does not exist. */
  create(container: BackendContainer): void {
    findProgram(container, container.command);
  }

  async start(container: BackendContainer): Promise<ContainerProcess> {
    const { stdin, tty } = container.config;
    const main = await this.#spawn(container, container.command, stdin);
    return {
      pid: main.pid,
      ended: main.ended.then((exitCode) => {
        // When the first process of a container ends, all others are killed.
        for (const process of this.#processesOf(container)) process.signal("SIGKILL");
        return { exitCode };
      }),
      signal: (name) => main.signal(name),
      usage: () => usageOf(main.pid),
      stdin: main.stdin ?? undefined,
      ...(tty ? { stdout: merge(main.stdout, main.stderr) } : { stdout: main.stdout, stderr: main.stderr }),
    };
  }

  execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome> {
    return collectOutput(signal, async (io) => {
      const exitCode = await this.#exec(container, command, io, signal);
      signal.throwIfAborted();
      return exitCode;
    });
  }

  /** Runs a command, which continues after its client has disconnected, as on containerd. */
  exec(container: BackendContainer, command: readonly string[], io: ProgramIo): Promise<number> {
    return this.#exec(container, command, io);
  }

  async portForward(_pod: BackendPod, port: number): Promise<Duplex> {
    const socket = connect({ host: "127.0.0.1", port });
    await once(socket, "connect");
    return socket;
  }

  async dispose(): Promise<void> {
    const all = [...this.#running.values()].flatMap((processes) => [...processes]);
    this.#killAll();
    await Promise.all(all.map(({ ended }) => ended));
  }

  async #exec(
    container: BackendContainer,
    command: readonly string[],
    io: ProgramIo,
    killOn?: AbortSignal,
  ): Promise<number> {
    const process = await this.#spawn(container, command, true);
    const kill = () => process.signal("SIGKILL");
    const unlisten = killOn && onAbort(killOn, kill);
    if (killOn?.aborted) kill();
    if (process.stdin) io.stdin.pipe(process.stdin);
    process.stdout.pipe(io.stdout, { end: false });
    process.stderr.pipe(io.tty ? io.stdout : io.stderr, { end: false });
    // As on containerd, a command that writes after its client has disconnected gets SIGPIPE.
    const closeOutput = () => {
      for (const stream of [process.stdout, process.stderr]) stream.destroy();
    };
    const unlistenOutput = onAbort(io.signal, closeOutput);
    if (io.signal.aborted) closeOutput();
    const exitCode = await process.ended;
    unlisten?.();
    unlistenOutput();
    await Promise.allSettled([finished(process.stdout), finished(process.stderr)]);
    return exitCode;
  }

  async #spawn(container: BackendContainer, command: readonly string[], stdin: boolean): Promise<HostProcess> {
    const process = await HostProcess.start(container, command, stdin);
    const processes = this.#processesOf(container);
    if (this.#running.size === 0) globalThis.process.on("exit", this.#onExit);
    this.#running.set(container.id, processes.add(process));
    void process.ended.then(() => {
      processes.delete(process);
      if (processes.size === 0) this.#running.delete(container.id);
      if (this.#running.size === 0) globalThis.process.off("exit", this.#onExit);
    });
    return process;
  }

  #processesOf({ id }: BackendContainer): Set<HostProcess> {
    return this.#running.get(id) ?? new Set();
  }

  #killAll(): void {
    for (const processes of this.#running.values()) for (const process of processes) process.signal("SIGKILL");
  }
}

/** Merges several outputs into one, like a terminal. */
function merge(...sources: Readable[]): Readable {
  const merged = new PassThrough();
  for (const source of sources) source.pipe(merged, { end: false });
  void Promise.allSettled(sources.map((source) => finished(source))).then(() => merged.end());
  return merged;
}
