import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { spawnBound } from "../../../test/runtime/lab/namespaces.js";

/** `npm run test:agent` installs the packed package and sets this. Otherwise the sources run, which start more slowly. */
const program = process.env.NODE_AGENT_PROGRAM
  ? [process.env.NODE_AGENT_PROGRAM]
  : [
      ...["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href],
      fileURLToPath(new URL("../src/main.ts", import.meta.url)),
    ];

export interface AgentProcessOptions {
  command: "agent" | "controller";
  kubeconfig: string;
  /** For the files of the process. Its output goes to `log`. */
  folder: string;
  env?: Record<string, string>;
}

/** The agent or the controller in a process of its own, as in a cluster. */
export class AgentProcess implements AsyncDisposable {
  #port: number | undefined;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) return;
    createInterface(child.stdout).on("line", (line) => {
      const { message, port } = JSON.parse(line);
      if (message === "started") this.#port = port;
    });
  }

  /** Starts the process, and resolves when it works, or has ended. */
  static async start({ command, kubeconfig, folder, env = {} }: AgentProcessOptions): Promise<AgentProcess> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, "kubeconfig");
    await writeFile(file, kubeconfig, { mode: 0o600 });
    // Ends with this process, also if that is killed.
    const child = spawnBound([process.execPath, ...program, command], {
      env: {
        ...process.env,
        KUBECONFIG: file,
        PORT: "0",
        HOST: "127.0.0.1",
        POD_NAMESPACE: "node-task-system",
        ...env,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const started = new AgentProcess(child);
    child.stdout?.pipe(createWriteStream(join(folder, "log"), { flags: "a" }));
    await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
    return started;
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
}
