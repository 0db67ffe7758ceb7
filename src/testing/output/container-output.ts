import type { Readable } from "node:stream";
import { startTimer } from "../../internal/timer.js";
import type { ContainerProcess } from "../backend/backend.js";
import type { ProgramIo } from "../backend/program-io.js";
import type { LogFile, OutputName } from "./log-file.js";

/** How long what a container leaves behind may hold its outputs open. */
const graceMs = 1_000;

/** What a container says, passed on to its log and to whoever is attached to it. A client that does not read holds the container up. */
export class ContainerOutput {
  readonly #process: ContainerProcess;
  readonly #attached = new Set<ProgramIo>();
  readonly #drained: Promise<unknown>;

  constructor(
    process: ContainerProcess,
    private readonly log: LogFile | undefined,
  ) {
    this.#process = process;
    this.#drained = Promise.all([this.#pass("stdout", process.stdout), this.#pass("stderr", process.stderr)]);
  }

  /** Connects a client, which gets everything from now on. Returns the function that takes it off again. */
  attach(io: ProgramIo): () => void {
    this.#attached.add(io);
    return () => this.#attached.delete(io);
  }

  /** Goes on in a new log file if the old one was moved away. */
  reopenLog(): void {
    this.log?.reopen();
  }

  /** Removes the log file. */
  removeLog(): void {
    this.log?.remove();
  }

  /** The process has ended: resolves when its last words are told. */
  async end(): Promise<void> {
    const { stdout, stderr } = this.#process;
    const stopTimer = startTimer(graceMs, () => {
      stdout?.destroy();
      stderr?.destroy();
    });
    await this.#drained;
    stopTimer();
    this.log?.close();
  }

  async #pass(name: OutputName, source: Readable | undefined): Promise<void> {
    try {
      for await (const chunk of source ?? []) {
        this.log?.write(name, chunk);
        await Promise.all(Array.from(this.#attached, (io) => tell(io, name, chunk)));
      }
    } catch {
      // Broken off, which is an end too.
    }
    this.log?.end(name);
  }
}

/** Resolves when the client has taken it, or has gone. */
function tell(io: ProgramIo, name: OutputName, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => io[name].write(chunk, () => resolve()));
}
