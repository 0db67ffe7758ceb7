import { accessSync, constants, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import type { BackendContainer } from "./backend.js";
import { hostnameOf, notFoundInPath } from "./commands.js";
import { ProgramError } from "./program-error.js";

/**
 * Finds the file of a command's program like an OCI runtime: on the PATH of the container, or relative to its working directory.
 *
 * @throws ProgramError if there is no executable file
 */
export function findProgram(container: BackendContainer, command: readonly string[]): string {
  const [program] = command;
  if (!program) throw new ProgramError("args must not be empty");
  // Windows adds the extension itself.
  if (process.platform === "win32") return program;
  const fail = (why: string) => new ProgramError(`unable to start container process: exec: "${program}": ${why}`);
  if (program.includes("/")) {
    const path = resolve(directoryOf(container), program);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) throw fail(`stat ${program}: no such file or directory`);
    if (!stats.isFile() || !isExecutable(path)) throw fail("permission denied");
    return path;
  }
  const folders = (environmentOf(container).PATH ?? "").split(delimiter);
  const path = folders.map((folder) => join(folder, program)).find((file) => isFile(file) && isExecutable(file));
  if (!path) throw new ProgramError(notFoundInPath(program));
  return path;
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the environment of a container. Of the runtime's environment, it contains only PATH, so that programs are found, and on
 * Windows SystemRoot.
 */
export function environmentOf(container: BackendContainer): Record<string, string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin", SystemRoot } = process.env;
  const own = container.config.envs.map(({ key, value }) => [key, Buffer.from(value).toString()]);
  const given = { ...container.imageEnv, ...Object.fromEntries(own) };
  return { PATH, HOSTNAME: hostnameOf(container), ...(SystemRoot && { SystemRoot }), ...given };
}

/** Returns the working directory if it exists on this machine, otherwise the folder for temporary files. */
export function directoryOf({ config: { workingDir } }: BackendContainer): string {
  return workingDir && statSync(workingDir, { throwIfNoEntry: false })?.isDirectory() ? workingDir : tmpdir();
}
