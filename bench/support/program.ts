/**
 * A measured program in its own process.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Cost, costOf } from "./cost.js";

/** What a program has done since its start. */
export type Counts = Readonly<Record<string, number>>;

export class Program implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#process.stderr.pipe(process.stderr, { end: false });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Sends a line. Resolves with the program's answer, which is a line of JSON. */
  async ask<Answer = Counts>(line: string): Promise<Answer> {
    this.#process.stdin.write(`${line}\n`);
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("the program has ended");
    return JSON.parse(value) as Answer;
  }

  cost(): Promise<Cost> {
    return costOf(this.#process.pid ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 10_000);
    this.#process.stdin.end();
    await exit;
    clearTimeout(timer);
  }
}
