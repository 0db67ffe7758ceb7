import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { spawnBound } from "../../../test/runtime/lab/namespaces.js";
import { troubleOf } from "./trouble.js";

const example = fileURLToPath(new URL("..", import.meta.url));

export interface Programs {
  /** `node-task-agent`. */
  main: string;
  /** A process with many agents. */
  worker: string;
}

/** Compiles the programs, because a process that compiles its own source has other needs than one on a node. */
export async function buildPrograms(): Promise<Programs> {
  const names = { main: "src/main.ts", worker: "scale/worker.ts" };
  await build({
    absWorkingDir: example,
    entryPoints: names,
    outdir: "dist/scale",
    bundle: true,
    format: "esm",
    target: "node20",
    platform: "node",
    // The SDK itself is bundled: tsconfig.json resolves it to its sources.
    packages: "external",
    logLevel: "error",
  });
  return { main: `${example}dist/scale/main.js`, worker: `${example}dist/scale/worker.js` };
}

/** A process of `node-task-agent`. It ends with this process, also if that is killed. */
export class AgentProgram implements AsyncDisposable {
  /** Warnings and errors, by message. */
  readonly troubles: Record<string, number> = {};

  private constructor(private readonly child: ChildProcess) {}

  /** Starts the process, and resolves when it says so. */
  static async start(command: readonly string[], env: Record<string, string>): Promise<AgentProgram> {
    const child = spawnBound([process.execPath, ...command], {
      env: { ...process.env, HOST: "127.0.0.1", PORT: "0", ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const program = new AgentProgram(child);
    const log = createInterface(child.stdout!).on("line", (line) => program.#read(line));
    const failed = once(child, "exit").then(([code]) => {
      throw new Error(`${command.join(" ")} has ended with the exit code ${code}`);
    });
    await Promise.race([once(log, "line"), failed]);
    return program;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }

  #read(line: string): void {
    const { level, message, error } = JSON.parse(line) as Record<string, string>;
    if (level === "info") return;
    const trouble = troubleOf(message, error);
    this.troubles[trouble] = (this.troubles[trouble] ?? 0) + 1;
  }
}
