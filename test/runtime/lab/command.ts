/**
 * Running a helper program to its end.
 *
 * @module
 */
import { spawn } from "node:child_process";

/** A helper program that failed; the message carries the program's own words. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  constructor(
    readonly commandLine: string,
    readonly output: string,
    reason: string,
  ) {
    super(`\`${commandLine}\` ${reason}${output ? `:\n${output}` : ""}`);
  }
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Written to standard input, which is closed afterwards. */
  input?: string;
  /** The program is killed when it takes longer. Two minutes unless told otherwise. */
  timeoutMs?: number;
}

/** Runs a program and resolves with its standard output; rejects with a {@link CommandError} unless it exits with 0. */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const timeoutMs = options.timeoutMs ?? 120_000;
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: options.env ?? { ...process.env, LC_ALL: "C" },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout: Buffer[] = [];
    const everything: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      everything.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => everything.push(chunk));
    // A program that does not read its input closes the pipe early: its exit code tells what matters.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");

    let overdue = false;
    const timer = setTimeout(() => {
      overdue = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    const fail = (reason: string) =>
      reject(new CommandError([program, ...args].join(" "), Buffer.concat(everything).toString().trim(), reason));
    child.on("error", (error) => {
      clearTimeout(timer);
      fail(`could not be started (${error.message})`);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(Buffer.concat(stdout).toString());
      else if (overdue) fail(`was still running after ${timeoutMs / 1000} s`);
      else fail(code === null ? `was ended by ${signal}` : `exited with ${code}`);
    });
  });
}
