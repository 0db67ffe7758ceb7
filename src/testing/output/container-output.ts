import type { Readable } from "node:stream";
import { startTimer } from "../../internal/timer.js";
import type { ContainerProcess } from "../backend/backend.js";
import type { ProgramIo } from "../backend/program-io.js";
import type { LogFile, OutputName } from "./log-file.js";

/** How long background processes of an ended container may keep its outputs open. */
const graceMs = 1_000;

/** Writes a container's output to its log and to attached clients. A client that does not read blocks the container. */
export class ContainerOutput {
  readonly #process: ContainerProcess;
  readonly #attached = new Set<ProgramIo>();
  readonly #drained: Promise<unknown>;

  constructor(
    process: ContainerProcess,
    private readonly log: LogFile | undefined,
  ) {
    this.#process = process;
    this.#drained = Promise.all([this.#forward("stdout", process.stdout), this.#forward("stderr", process.stderr)]);
  }

  /** Attaches a client, which receives all output from now on. Returns a function that detaches it. */
  attach(io: ProgramIo): () => void {
    this.#attached.add(io);
    return () => this.#attached.delete(io);
  }

  /** Continues in a new log file if the old one was moved. */
  reopenLog(): void {
    this.log?.reopen();
  }

  /** Removes the log file. */
  removeLog(): void {
    this.log?.remove();
  }

  /** Closes the log. Must be called when the process has ended. Resolves when all output has been written. */
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

  async #forward(name: OutputName, source: Readable | undefined): Promise<void> {
    try {
      for await (const chunk of source ?? []) {
        this.log?.write(name, chunk);
        await Promise.all(Array.from(this.#attached, (io) => writeTo(io, name, chunk)));
      }
    } catch {
      // A broken stream counts as ended.
    }
    this.log?.end(name);
  }
}

/** Resolves when the client has read the chunk or has disconnected. */
function writeTo(io: ProgramIo, name: OutputName, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => io[name].write(chunk, () => resolve()));
}
