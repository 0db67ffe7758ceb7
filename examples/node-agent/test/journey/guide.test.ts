/** Follows the walk of docs/node-agent.md: runs its commands on the cluster of `npm run cluster`, and compares their output. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type Block, pageBlocks, root } from "../../../../test/package/documented-code/blocks.js";
import { providedRuntimes } from "../../../../test/runtime/support.js";

const page = "docs/node-agent.md";
const walk = await blocksBetween("## Try it on one machine", "## The fields of a NodeTask");
const [start, ...steps] = walk.filter(({ language }) => language === "sh");

async function blocksBetween(from: string, to: string): Promise<Block[]> {
  const lines = (await readFile(join(root, page), "utf8")).split("\n");
  const [first, last] = [lines.indexOf(from), lines.indexOf(to)];
  expect(first).toBeGreaterThan(0);
  expect(last).toBeGreaterThan(first);
  return pageBlocks().filter(({ file, line }) => file === page && line > first && line < last);
}

/** `npm run cluster -- up`, until it is disposed of. */
class RunningCluster implements AsyncDisposable {
  output = "";
  readonly #tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  readonly #child = spawn(process.execPath, ["--import", this.#tsx, "examples/node-agent/cluster/cli.ts", "up"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  readonly #ended = once(this.#child, "exit");

  async up(): Promise<void> {
    for await (const chunk of this.#child.stdout.iterator({ destroyOnReturn: false })) {
      this.output += chunk;
      if (this.output.includes("Ctrl+C removes everything.")) return;
    }
    throw new Error(`the cluster ended:\n${this.output}`);
  }

  /** The variables that it asks its user to export. */
  get environment(): NodeJS.ProcessEnv {
    const exports = Array.from(this.output.matchAll(/^ {2}export (\w+)=(.*)$/gm), ([, name = "", value = ""]) => [
      name,
      value.replace("$PATH", process.env.PATH ?? ""),
    ]);
    return Object.fromEntries(exports);
  }

  /** Resolves with the exit code. */
  async end(): Promise<unknown> {
    this.#child.kill("SIGINT");
    this.#child.stdout.resume();
    return (await this.#ended)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) await this.end();
  }
}

/** Without the age, the only part that differs from run to run. */
const comparable = (output: string) => output.replace(/\b(?:\d+m)?\d+s$/gm, "AGE").replace(/ +/g, " ");

const { runtimes, skipped } = providedRuntimes();

test.skipIf(runtimes.length === 0)(
  `the walk has the output that the guide shows${skipped ? `: ${skipped}` : ""}`,
  async () => {
    expect(start?.code).toBe("npm ci\nnpm run cluster -- up\n");
    expect(steps.length).toBeGreaterThan(4);
    const [sample] = walk.filter(({ language }) => language === "yaml");
    expect(sample?.code).toBe(await readFile(join(root, "examples/node-agent/samples/hello.yaml"), "utf8"));

    await using cluster = new RunningCluster();
    await cluster.up();
    const env: NodeJS.ProcessEnv = { HOME: process.env.HOME, ...cluster.environment };
    expect(Object.keys(env)).toEqual(["HOME", "KUBECONFIG", "PATH"]);
    for (const step of steps) {
      const expected = walk[walk.indexOf(step) + 1];
      const { stdout } = await promisify(execFile)("/bin/sh", ["-ec", step.code], { cwd: root, env });
      // kubectl writes that there is nothing to its error output.
      const nothing = "No resources found in default namespace.\n";
      expect(expected?.language, `${page}:${step.line}`).toBe("text");
      expect(comparable(stdout), `${page}:${step.line}`).toBe(comparable(expected?.code.replace(nothing, "") ?? ""));
    }
    expect(await cluster.end()).toBe(0);
    expect(existsSync(env.KUBECONFIG ?? "")).toBe(false);
  },
  1_200_000,
);
