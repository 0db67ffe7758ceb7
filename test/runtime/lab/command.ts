/**
 * Runs other programs.
 *
 * @module
 */
import { spawn } from "node:child_process";

/** A program failed. The message contains its output. */
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
  /** Kills the program after this time. @defaultValue 120_000 */
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
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      output.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    // A program that does not read its input closes the pipe early. Only its exit code matters.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");

    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    const fail = (reason: string) =>
      reject(new CommandError([program, ...args].join(" "), Buffer.concat(output).toString().trim(), reason));
    child.on("error", (error) => {
      clearTimeout(timer);
      fail(`could not be started (${error.message})`);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(Buffer.concat(stdout).toString());
      else if (timedOut) fail(`did not end within ${timeoutMs / 1000} s`);
      else fail(code === null ? `was killed by ${signal}` : `exited with code ${code}`);
    });
  });
}
