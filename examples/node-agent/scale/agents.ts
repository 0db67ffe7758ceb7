import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { spawnBound } from "../../../test/runtime/lab/namespaces.js";
import type { Request, WorkerReport, WorkerSetup } from "./worker.js";

/** So that one event loop is not the limit. */
const agentsPerWorker = 25;
const limitMs = 120_000;

/** Many agents, in a few processes. */
export class Agents implements AsyncDisposable {
  private constructor(private readonly workers: readonly Worker[]) {}

  /** Starts the processes with the runtimes of the nodes. The agents wait for {@link start}. */
  static async prepare(program: string, { nodes, ...setup }: WorkerSetup): Promise<Agents> {
    const shares: string[][] = [];
    for (let from = 0; from < nodes.length; from += agentsPerWorker) {
      shares.push(nodes.slice(from, from + agentsPerWorker));
    }
    const agents = new Agents(shares.map(() => new Worker(program)));
    try {
      const prepare = (share: string[]): Request => ({ command: "prepare", setup: { ...setup, nodes: share } });
      await Promise.all(agents.workers.map((worker, index) => worker.ask(prepare(shares[index] ?? []))));
      return agents;
    } catch (error) {
      await agents[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pids(): number[] {
    return this.workers.map(({ pid }) => pid);
  }

  async start(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.ask({ command: "start" })));
  }

  /** Adds up the reports of all processes. The delay is the longest one. */
  async report(): Promise<WorkerReport> {
    const answers = await Promise.all(this.workers.map((worker) => worker.ask({ command: "report" })));
    const reports = answers as WorkerReport[];
    return {
      synced: sum(reports.map(({ synced }) => synced)),
      pods: sum(reports.map(({ pods }) => pods)),
      answered: sum(reports.map(({ answered }) => answered)),
      troubles: addCounts(reports.map(({ troubles }) => troubles)),
      loopDelayMs: Math.max(0, ...reports.map(({ loopDelayMs }) => loopDelayMs)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end()));
  }
}

class Worker {
  readonly #child: ChildProcess;
  #last: Promise<unknown> = Promise.resolve();

  constructor(program: string) {
    // Ends with this process, also if that is killed.
    this.#child = spawnBound([process.execPath, program], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a request when the one before is answered. */
  async ask(request: Request): Promise<unknown> {
    const answer = this.#last.then(() => this.#ask(request));
    this.#last = answer.catch(() => {});
    return await answer;
  }

  async #ask(request: Request): Promise<unknown> {
    const answered = new AbortController();
    const signal = AbortSignal.any([answered.signal, AbortSignal.timeout(limitMs)]);
    const ended = once(this.#child, "exit", { signal }).then(() => {
      throw new Error(`a process with agents has ended at the command ${request.command}`);
    });
    const message = once(this.#child, "message", { signal });
    try {
      this.#child.send(request);
      const [{ answer, failure }] = await Promise.race([message, ended]);
      if (failure !== undefined) throw new Error(failure);
      return answer;
    } finally {
      answered.abort();
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    await this.ask({ command: "stop" }).catch(() => this.#child.kill("SIGKILL"));
    await ended;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/** Adds up counts by their keys. */
export function addCounts(counts: readonly Record<string, number>[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [key, value] of counts.flatMap((one) => Object.entries(one))) all[key] = (all[key] ?? 0) + value;
  return all;
}
