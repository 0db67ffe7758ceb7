/**
 * The clients that are measured, each in its own process.
 *
 * @module
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { run } from "../../test/runtime/lab/command.js";
import type { Role } from "../support/interleave.js";
import { programs } from "./build.js";
import type { Place } from "./peers/peer.js";
import type { Answer, Task } from "./task.js";

export interface Competitor extends Disposable {
  readonly name: string;
  readonly role: Role;
  /** Whether it can perform a task. */
  can(task: Task): boolean;
  perform(task: Task): Promise<Answer>;
}

/** A peer in Node.js and the tasks it can perform; see `peers/worker.ts`. */
export interface NodePeer {
  name: string;
  role: Role;
  /** The name of its module in `peers/`. */
  module: string;
  place: Place;
  can: (task: Task) => boolean;
  /** Flags of Node.js. */
  flags?: readonly string[];
}

export class NodeCompetitor implements Competitor {
  private constructor(
    private readonly peer: NodePeer,
    private readonly child: ChildProcess,
  ) {}

  static async open(peer: NodePeer): Promise<NodeCompetitor> {
    const execArgv = ["--expose-gc", ...(peer.flags ?? [])];
    const child = fork(programs.worker, [peer.module, JSON.stringify(peer.place)], { execArgv });
    const competitor = new NodeCompetitor(peer, child);
    await competitor.#answer();
    return competitor;
  }

  get name(): string {
    return this.peer.name;
  }

  get role(): Role {
    return this.peer.role;
  }

  can(task: Task): boolean {
    return this.peer.can(task);
  }

  async perform(task: Task): Promise<Answer> {
    if (task.kind === "memory") {
      // Memory is measured in a process that has done nothing else.
      using fresh = await NodeCompetitor.open(this.peer);
      return await fresh.#perform(task);
    }
    return await this.#perform(task);
  }

  #perform(task: Task): Promise<Answer> {
    this.child.send(task);
    return this.#answer();
  }

  async #answer(): Promise<Answer> {
    const stop = new AbortController();
    const { signal } = stop;
    try {
      const ended = once(this.child, "exit", { signal }).then(() => Promise.reject(new Error("the process ended")));
      const [answer] = (await Promise.race([once(this.child, "message", { signal }), ended])) as [Answer];
      return checked(answer);
    } finally {
      stop.abort();
    }
  }

  [Symbol.dispose](): void {
    if (this.child.connected) this.child.disconnect();
  }
}

/** The Go client; see `go-client/main.go`. */
export class GoCompetitor implements Competitor {
  readonly name = "cri-client (Go)";
  readonly role = "peer";
  readonly #child;
  readonly #lines;

  constructor(program: string, { socket, reply }: Place) {
    this.#child = spawn(program, [socket, reply], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  can({ kind }: Task): boolean {
    return kind === "calls" || kind === "decode" || kind === "contents";
  }

  async perform(task: Task): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(task)}\n`);
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("the process ended");
    return checked(JSON.parse(value));
  }

  [Symbol.dispose](): void {
    this.#child.stdin.end();
  }
}

/** crictl. Times include the start of its process, because that is what a caller waits for. */
export class Crictl implements Competitor {
  readonly name = "crictl (process per call)";
  readonly role = "peer";
  readonly #socket: string;

  private constructor({ socket }: Place) {
    this.#socket = socket;
  }

  /** Returns `undefined` if crictl is not installed. */
  static async find(place: Place): Promise<Crictl | undefined> {
    const found = await run("crictl", ["--version"]).catch(() => undefined);
    return found === undefined ? undefined : new Crictl(place);
  }

  can(task: Task): boolean {
    return task.kind === "calls" && task.method in commands && task.inFlight === 1;
  }

  async perform(task: Task): Promise<Answer> {
    if (task.kind !== "calls") throw new Error(`crictl cannot perform the task "${task.kind}"`);
    const figures: number[] = [];
    for (let call = 0; call < Math.min(task.calls, 3); call++) {
      const start = performance.now();
      const endpoint = `unix://${this.#socket}`;
      await run("crictl", ["--runtime-endpoint", endpoint, ...(commands[task.method] ?? []), `n=${task.n}`]);
      figures.push(performance.now() - start);
    }
    return { figures };
  }

  [Symbol.dispose](): void {}
}

const commands: Record<string, string[]> = {
  ListContainers: ["ps", "--all", "--output", "json", "--label"],
  ListPodSandbox: ["pods", "--output", "json", "--label"],
  ListContainerStats: ["stats", "--all", "--output", "json", "--label"],
};

function checked(answer: Answer): Answer {
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer;
}
