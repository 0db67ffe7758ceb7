/**
 * Runs a program to its end.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Prints the output at once. Otherwise, it is printed only if the program fails. Defaults to false. */
  readonly verbose?: boolean;
}

/** Runs `command`. @throws Error with the output if it fails */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  const { cwd, env = {}, verbose = false } = options;
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: verbose ? "inherit" : ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32" && command === "npm", // npm is a script there
  });
  const read = (stream: typeof child.stdout) => (stream ? text(stream) : "");
  const [[code], output, errors] = await Promise.all([once(child, "exit"), read(child.stdout), read(child.stderr)]);
  if (code === 0) return;
  throw new Error(`${[command, ...args].join(" ")} failed (${code}).\n${output}${errors}`.trimEnd());
}
