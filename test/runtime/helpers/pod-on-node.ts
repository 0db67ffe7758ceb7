/**
 * Runs pods from manifests on a runtime of the lab: controls the program `programs/run-pods.ts` in the runtime's namespaces.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CriError, type CriErrorCode } from "k8s-cri-client";
import type { NodeConfig, ServiceAccountToken } from "k8s-cri-client/kubernetes";
import { childrenOf } from "../lab/processes.js";
import type { Commands, Reply, RunAnswer } from "../programs/run-pods.js";
import type { Runtime } from "../support.js";
import { containerdPid } from "./containerd-process.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** How long the program may take to dispose of its pods at the end. */
const endTimeoutMs = 60_000;

/** The path of the built program. */
let program: Promise<string> | undefined;

/** Builds the program once for all agents of this process, in a folder in which Node.js finds the dependencies. */
async function buildProgram(): Promise<string> {
  await mkdir(join(root, ".cache"), { recursive: true });
  const folder = await mkdtemp(join(root, ".cache", "agent-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, "run-pods.js");
  await build({
    absWorkingDir: root,
    entryPoints: ["test/runtime/programs/run-pods.ts"],
    outfile,
    ...{ bundle: true, packages: "external", platform: "node", format: "esm", target: "node20", logLevel: "error" },
  });
  return outfile;
}

/** A program on the node that runs pods. */
export class NodeAgent implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #exited: Promise<unknown>;
  #errors = "";
  #next = 0;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.#exited = once(child, "close").then(() => this.#failAll());
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk).slice(-10_000);
    });
    void this.#readReplies();
  }

  /** Starts the program, in the namespaces of the runtime if it is a real one. */
  static async start(runtime: Runtime): Promise<NodeAgent> {
    program ??= buildProgram();
    const enter = runtime.flavor
      ? []
      : ["nsenter", "--target", String(containerdPid(runtime.endpoint)), "--mount", "--pid", "--cgroup", "--"];
    const [command = "", ...args] = [...enter, process.execPath, await program, runtime.endpoint];
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    return new NodeAgent(child);
  }

  /** Runs the pod of a document. */
  async run(manifests: string, node: NodeConfig, tokens: readonly ServiceAccountToken[] = []): Promise<PodOnNode> {
    return new PodOnNode(this, await this.ask("run", { manifests, node, tokens }));
  }

  /** Sends a command. Rejects with a CriError if the program's answer is one. */
  async ask<C extends keyof Commands>(command: C, fields: Commands[C]["ask"]): Promise<Commands[C]["answer"]> {
    const id = this.#next++;
    const { answer, error } = await new Promise<Reply>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#process.stdin?.write(`${JSON.stringify({ id, command, ...fields })}\n`);
    });
    if (error?.code) throw new CriError({ code: error.code as CriErrorCode, message: error.message });
    if (error) throw new Error(error.message);
    return answer as Commands[C]["answer"];
  }

  /** Kills the program by SIGKILL. Its pods stay as they are. */
  async kill(): Promise<void> {
    const pid = this.#process.pid;
    const program = this.#process.spawnfile === "nsenter" && pid !== undefined ? childrenOf(pid)[0]?.pid : pid;
    if (program !== undefined) process.kill(program, "SIGKILL");
    await this.#exited;
  }

  /** Ends the program, which disposes of its pods. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => void this.kill(), endTimeoutMs);
    this.#process.stdin?.end();
    await this.#exited;
    clearTimeout(timer);
  }

  async #readReplies(): Promise<void> {
    if (!this.#process.stdout) return;
    for await (const line of createInterface({ input: this.#process.stdout })) {
      const reply = JSON.parse(line) as Reply;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    }
  }

  #failAll(): void {
    const error = { message: `the program on the node has ended: ${this.#errors.trim()}` };
    for (const [id, settle] of this.#waiting) settle({ id, error });
    this.#waiting.clear();
  }
}

/** A pod that the program on the node runs. */
export class PodOnNode {
  constructor(
    readonly agent: NodeAgent,
    readonly run: RunAnswer,
  ) {}

  get uid(): string {
    return this.run.uid;
  }

  waitReady(timeoutMs = 60_000): Promise<null> {
    return this.agent.ask("waitReady", { uid: this.uid, timeoutMs });
  }

  wait(timeoutMs = 60_000): Promise<unknown> {
    return this.agent.ask("wait", { uid: this.uid, timeoutMs });
  }

  status(): Promise<unknown> {
    return this.agent.ask("status", { uid: this.uid });
  }

  columns(): Promise<Commands["columns"]["answer"]> {
    return this.agent.ask("columns", { uid: this.uid });
  }

  /** Returns the events so far, and waits until there is one for each of the reasons. */
  events(...atLeast: string[]): Promise<Commands["events"]["answer"]> {
    return this.agent.ask("events", { uid: this.uid, atLeast });
  }

  logs(container?: string): Promise<Commands["logs"]["answer"]> {
    return this.agent.ask("logs", { uid: this.uid, ...(container !== undefined && { container }) });
  }

  exec(container: string, argv: string[]): Promise<Commands["exec"]["answer"]> {
    return this.agent.ask("exec", { uid: this.uid, container, argv });
  }

  /** Runs a shell line in a container and returns what it prints, without the last line break. Throws if it fails. */
  async shell(container: string, line: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.exec(container, ["/bin/sh", "-c", line]);
    if (exitCode !== 0) throw new Error(`${line}: exit code ${exitCode}: ${stderr}`);
    return stdout.replace(/\n$/, "");
  }

  stop(): Promise<null> {
    return this.agent.ask("stop", { uid: this.uid });
  }

  release(): Promise<null> {
    return this.agent.ask("release", { uid: this.uid });
  }

  dispose(): Promise<null> {
    return this.agent.ask("dispose", { uid: this.uid });
  }
}
