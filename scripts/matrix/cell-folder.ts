import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";
import { expected, startRuntime } from "./consumer/runtime.js";

const consumer = new URL("consumer/", import.meta.url);

/** The modules of the consumer: `main.ts` and `journey.ts` in its own process, all of them with the runtime inside. */
export const outside = ["main", "journey"] as const;
export const withRuntime = ["inside", "journey", "runtime"] as const;

export type ModuleType = "module" | "commonjs";

/** Options of {@link CellFolder.run}. */
export interface RunOptions {
  env?: NodeJS.ProcessEnv | undefined;
}

/** The folder of one cell, below its project, and what a cell does there. */
export class CellFolder {
  /** The folder of the cell. */
  readonly path: string;
  /** The folder of the project, which has `node_modules`. */
  readonly project: string;
  /** The folder with the binaries of JavaScript runtimes. */
  readonly #binaries: string;

  constructor(project: string, name: string, binaries: string) {
    this.project = project;
    this.path = join(project, name);
    this.#binaries = binaries;
  }

  /** Returns the path of a binary among the JavaScript runtimes. */
  binary(path: string): string {
    return join(this.#binaries, "node_modules", path);
  }

  /** Returns the path of a file in the packages of the project. */
  installed(path: string): string {
    return join(this.project, "node_modules", path);
  }

  /** Writes a file, and its folders. */
  async write(path: string, content: string | object): Promise<void> {
    const file = join(this.path, path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  }

  /** Writes modules of the consumer as JavaScript, and a package.json. */
  async writeJavaScript(type: ModuleType, modules: readonly string[]): Promise<void> {
    await this.write("package.json", { private: true, type });
    for (const name of modules) {
      const source = await readFile(new URL(`${name}.ts`, consumer), "utf8");
      const { code } = await transform(source, {
        loader: "ts",
        format: type === "module" ? "esm" : "cjs",
        target: "node20",
      });
      await this.write(`${name}.js`, code);
    }
  }

  /** Writes modules of the consumer as they are. */
  async writeTypeScript(modules: readonly string[]): Promise<void> {
    for (const name of modules) {
      await this.write(`${name}.ts`, await readFile(new URL(`${name}.ts`, consumer), "utf8"));
    }
  }

  /** Runs a program in the folder of the cell. Returns its output. Throws with all output if it fails or takes too long. */
  run(program: string, args: readonly string[], { env = {} }: RunOptions = {}): Promise<string> {
    const { NODE_OPTIONS: _, FORCE_COLOR: __, ...environment } = process.env;
    const settings = {
      cwd: this.path,
      env: { ...environment, NO_COLOR: "1", CI: "1", ...env },
      timeout: timeoutMs,
      maxBuffer: 2 ** 26,
      killSignal: "SIGKILL" as const,
    };
    return new Promise((resolve, reject) => {
      execFile(program, args, settings, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${[program, ...args].join(" ")} (${this.path}): ${stdout}${stderr || error.message}`));
      });
    });
  }

  /**
   * Starts a runtime in this process, lets a program run the journey on it, and checks the result, and that the program left nothing.
   *
   * @param start runs the program with these variables in its environment, and returns its output
   */
  async journey(start: (env: Record<string, string>) => Promise<string>): Promise<void> {
    const runtime = await startRuntime();
    try {
      const logs = join(this.path, "logs");
      await mkdir(logs, { recursive: true });
      checkResult(await start({ CRI_ENDPOINT: runtime.endpoint, CRI_LOGS: logs }));
      const left = runtime.pods.length + runtime.containers.length;
      if (left > 0) throw new Error(`the program left ${left} pods and containers`);
    } finally {
      await runtime.stop();
    }
  }
}

/** Checks the last line of a program's output. */
export function checkResult(output: string): void {
  const result = output.trim().split("\n").at(-1);
  if (result !== expected) throw new Error(`the result of the journey is ${result}, not ${expected}`);
}

/** The time limit of one program. */
const timeoutMs = 600_000;
