/**
 * A measured program in its own process, and what it costs by the kernel's account.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { run } from "../../test/runtime/lab/command.js";

/** What a program has done since its start. */
export type Counts = Readonly<Record<string, number>>;

/** The cost of a process up to a moment. */
export interface Cost {
  atMs: number;
  cpuSeconds: number;
  rssBytes: number;
}

export class Program implements AsyncDisposable {
  readonly #lines: AsyncIterator<string>;

  private constructor(
    private readonly process: ChildProcessWithoutNullStreams,
    private readonly ticksPerSecond: number,
  ) {
    this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  }

  static async start(command: string, args: readonly string[]): Promise<Program> {
    const ticksPerSecond = Number(await run("getconf", ["CLK_TCK"]));
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    child.stderr.pipe(process.stderr, { end: false });
    return new Program(child, ticksPerSecond);
  }

  /** Sends a line. Resolves with the program's counts. */
  async ask(line: string): Promise<Counts> {
    this.process.stdin.write(`${line}\n`);
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("the program has ended");
    return JSON.parse(value) as Counts;
  }

  async cost(): Promise<Cost> {
    const read = (name: string) => readFile(`/proc/${this.process.pid}/${name}`, "utf8");
    const [stat, status] = await Promise.all([read("stat"), read("status")]);
    // The name of the program, in parentheses, may contain spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    const rssBytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1_024;
    return { atMs: performance.now(), cpuSeconds: ticks / this.ticksPerSecond, rssBytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, "exit");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 10_000);
    this.process.stdin.end();
    await exit;
    clearTimeout(timer);
  }
}
