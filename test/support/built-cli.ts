/**
 * The command `k8s-cri-client` as a program in the `PATH`, bundled from the sources: it starts many times as fast as the sources
 * themselves would.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect } from "vitest";
import { Pty, type PtyOptions } from "./pty.js";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
let folder: Promise<string> | undefined;

/** Returns a folder that contains the program `k8s-cri-client`. It is built once for each process, and removed at its end or by the next process. */
export function cliFolder(): Promise<string> {
  folder ??= bundle();
  return folder;
}

const prefix = "k8s-cri-client-cli-";

/** Removes the folders of processes that have ended: vitest kills its workers, so that they cannot clean up. */
async function removeStale(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid] = new RegExp(`^${prefix}(\\d+)-`).exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function bundle(): Promise<string> {
  await removeStale();
  const outdir = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  process.on("exit", () => rmSync(outdir, { recursive: true, force: true }));
  await build({
    entryPoints: [main],
    ...{ outdir, outExtension: { ".js": ".mjs" }, entryNames: "[name]", chunkNames: "chunks/[name]-[hash]" },
    ...{ bundle: true, splitting: true, format: "esm", platform: "node", target: "node20", logLevel: "warning" },
    // Dependencies in CommonJS require modules of Node.js.
    banner: {
      js: 'import { createRequire as $require } from "node:module"; const require = $require(import.meta.url);',
    },
  });
  const script = `#!/bin/sh\nexec "${process.execPath}" "${join(outdir, "main.mjs")}" "$@"\n`;
  await writeFile(join(outdir, "k8s-cri-client"), script, { mode: 0o755 });
  return outdir;
}

/** The environment in which `k8s-cri-client` is found, and finds the runtime. */
async function environment(endpoint: string): Promise<Record<string, string>> {
  const PATH = `${await cliFolder()}${delimiter}${process.env.PATH}`;
  return { PATH, CONTAINER_RUNTIME_ENDPOINT: endpoint };
}

/** How a program in a pipe ended, and what it wrote. */
export interface Piped {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a command line of `sh` in which `k8s-cri-client` is in the `PATH`, with pipes. Its environment is as small as that of a
 * {@link Pty}: `npm test` sets `NO_COLOR`.
 */
export async function runInShell(line: string, endpoint: string, stdin?: Readable | Uint8Array): Promise<Piped> {
  const { HOME = "/" } = process.env;
  const env = { HOME, LANG: "C.UTF-8", ...(await environment(endpoint)) };
  const child = spawn("sh", ["-c", line], { env });
  child.stdin.on("error", () => {});
  if (stdin === undefined || stdin instanceof Uint8Array) child.stdin.end(stdin);
  else stdin.pipe(child.stdin);
  const [stdout, stderr] = [buffer(child.stdout), buffer(child.stderr)];
  const [exitCode, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { exitCode, signal, stdout: await stdout, stderr: (await stderr).toString() };
}

/** The prompt of {@link openShell}. */
export const prompt = "ready> ";

/**
 * Opens a shell in a pseudo-terminal, in which `k8s-cri-client` is in the `PATH`. {@link enter} runs a command in it, and
 * {@link expectRestored} checks that the command restored the terminal.
 */
export async function openShell(endpoint: string, options: PtyOptions = {}): Promise<Pty> {
  const env = { ...(await environment(endpoint)), PS1: prompt, ENV: "", ...options.env };
  return Pty.start(["sh", "-i"], { ...options, env });
}

/**
 * Waits for the prompt of a shell, and enters a command line. Keys that are typed before the prompt are shown before it, and the
 * output of the command then begins behind the prompt.
 */
export async function enter(shell: Pty, line: string): Promise<void> {
  await shell.waitUntil(() => shell.text.endsWith(prompt.trim()), "prompt");
  shell.type(`${line}\r`);
}

let checks = 0;

/** Types a command into a shell, and checks that the terminal has the modes that it had before. */
export async function expectRestored(terminal: Pty): Promise<void> {
  const check = `check${++checks}`;
  await enter(terminal, `stty -a; echo ${check} $?`);
  await terminal.waitFor(`${check} 0`);
  const modes = terminal.text.slice(terminal.text.lastIndexOf("stty -a"));
  expect(modes).toMatch(/[^-]icanon[\s\S]*[^-]echo\b/);
  expect(terminal.isAlternateScreen).toBe(false);
  // What would show a hidden cursor again is written last.
  expect(terminal.output.lastIndexOf("\x1b[?25l")).toBeLessThanOrEqual(terminal.output.lastIndexOf("\x1b[?25h"));
}

/** Runs `k8s-cri-client` itself in a pseudo-terminal, without a shell. */
export async function openCli(args: readonly string[], endpoint: string, options: PtyOptions = {}): Promise<Pty> {
  const env = { ...(await environment(endpoint)), ...options.env };
  return Pty.start(["k8s-cri-client", ...args], { ...options, env });
}
