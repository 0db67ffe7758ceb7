import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { CriError } from "../../errors.js";

/** Directories of system programs. The caller's PATH is not used, because the programs run as root. */
const directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The time limit of a program. The system calls that they make take milliseconds. */
const timeoutMs = 60_000;

/** How much of an output is kept, in characters. */
const maxOutput = 4_096;

/** The outcome of a program that ended by itself. */
export interface ProgramResult {
  exitCode: number;
  /** The first 4096 characters. */
  stdout: string;
  /** The first 4096 characters, without white space at the ends. */
  stderr: string;
}

/**
 * Runs a program of the system without a shell and with a minimal environment. Resolves with any exit code.
 *
 * @param descriptor an open file that the program gets as descriptor 3
 * @throws CriError `FAILED_PRECONDITION` if the program is not installed, `DEADLINE_EXCEEDED` if it does not end
 */
export async function runSystemProgram(
  name: string,
  args: readonly string[],
  descriptor?: number,
): Promise<ProgramResult> {
  const path = await locate(name);
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      cwd: "/",
      env: { PATH: directories.join(":"), LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe", descriptor ?? "ignore"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        output[name] = (output[name] + text).slice(0, maxOutput);
      });
    }
    child.once("error", reject);
    child.once("close", (exitCode, signal) => {
      if (exitCode !== null) resolve({ exitCode, ...output, stderr: output.stderr.trim() });
      else reject(new CriError({ code: "DEADLINE_EXCEEDED", message: `${name} was ended by ${signal}` }));
    });
  });
}

/** Runs a program like {@link runSystemProgram}. Rejects with its error output unless the exit code is 0. */
export async function requireSystemProgram(name: string, args: readonly string[]): Promise<void> {
  const result = await runSystemProgram(name, args);
  if (result.exitCode !== 0) throw programFailure(name, result);
}

/** The exit code of `flock` if another open file holds the lock. */
const isHeld = 1;

/**
 * Locks an open file with `flock(2)`. The lock belongs to the open file, which the program shares with this process. It therefore
 * lasts until this process closes the file or ends. Returns false if another open file holds the lock.
 */
export async function lockFile(descriptor: number): Promise<boolean> {
  const result = await runSystemProgram("flock", ["-x", "-n", "3"], descriptor);
  if (result.exitCode === 0 || result.exitCode === isHeld) return result.exitCode === 0;
  throw programFailure("flock", result);
}

function programFailure(name: string, { exitCode, stderr }: ProgramResult): CriError {
  const denied = process.geteuid?.() !== 0;
  return new CriError({
    code: denied ? "PERMISSION_DENIED" : "FAILED_PRECONDITION",
    message: `${name} failed with exit code ${exitCode}: ${stderr}${denied ? "; pods need root on the node" : ""}`,
  });
}

async function locate(name: string): Promise<string> {
  for (const directory of directories) {
    const path = `${directory}/${name}`;
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new CriError({
    code: "FAILED_PRECONDITION",
    message: `the program ${name} is not in ${directories.join(", ")}; install util-linux`,
  });
}
