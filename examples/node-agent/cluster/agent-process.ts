import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { spawnBound } from "../../../test/runtime/lab/namespaces.js";
import { systemNamespace } from "./install.js";
import { compile } from "./programs.js";
import { troubleOf } from "./trouble.js";

/** `npm run test:agent` installs the packed package and sets this. Otherwise the sources are compiled. */
const packed = process.env.NODE_AGENT_PROGRAM;

export interface AgentProcessOptions {
  command: "agent" | "controller";
  kubeconfig: string;
  /** For the files of the process. Its output goes to `log`. */
  folder: string;
  env?: Record<string, string>;
}

/** The agent or the controller in a process of its own, as in a cluster. */
export class AgentProcess implements AsyncDisposable {
  /** Warnings and errors that it has logged, by {@link troubleOf}. */
  readonly troubles: Record<string, number> = {};
  #port: number | undefined;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process, and resolves when it works, or has ended. */
  static async start({ command, kubeconfig, folder, env = {} }: AgentProcessOptions): Promise<AgentProcess> {
    const program = packed ?? (await compile("src/main.ts"));
    await mkdir(folder, { recursive: true });
    const file = join(folder, "kubeconfig");
    await writeFile(file, kubeconfig, { mode: 0o600 });
    const common = { KUBECONFIG: file, PORT: "0", HOST: "127.0.0.1", POD_NAMESPACE: systemNamespace };
    // Ends with this process, also if that is killed.
    const child = spawnBound([process.execPath, program, command], {
      env: { ...process.env, ...common, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const started = new AgentProcess(child);
    const log = createInterface(child.stdout!).on("line", (line) => started.#read(line));
    child.stdout?.pipe(createWriteStream(join(folder, "log"), { flags: "a" }));
    await Promise.race([once(log, "line"), once(child, "exit")]);
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Where it serves its metrics and its health. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Reads a page of {@link url}. */
  async page(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`${this.url}${path}`);
    return { status: response.status, body: await response.text() };
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Resolves with the exit code or the signal when the process has ended. */
  async ended(): Promise<number | string | null> {
    if (!this.hasEnded) await once(this.#child, "exit");
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    if (!this.hasEnded) this.#child.kill(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  #read(line: string): void {
    const { level, message, port, error } = JSON.parse(line);
    if (message === "started") this.#port = port;
    if (level === "info") return;
    const trouble = troubleOf(message, error);
    this.troubles[trouble] = (this.troubles[trouble] ?? 0) + 1;
  }
}
