/**
 * The commands that a copy runs in the container.
 *
 * @module
 */
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { CriError, InvalidInputError } from "../../../errors.js";
import { callOptionsOf } from "../../../rpcs/budget.js";
import type { ClientContext } from "../../context.js";
import { execSync } from "../exec-sync.js";
import type { SessionOptions } from "../open-session.js";
import type { ExecSession } from "../session.js";

/**
 * Options of `copyTo` and `copyFrom`. `timeoutMs` limits each of the two or three commands that a copy runs in the container,
 * `deadline` limits all of them together, and `signal` stops the copy at any time. By default a copy has no time limit.
 */
export type CopyOptions = SessionOptions;

/** What a path in the container leads to. Links are followed. `error` has the error message of `ls`. */
export type FoundPath = { kind: "folder" | "other" } | { kind: "nothing"; error: CriError };

/** Runs `ls` to find what is at a path. `path/.` exists only if the path is a folder or a link to a folder. */
export async function findPath(
  context: ClientContext,
  containerId: string,
  path: string,
  options: CopyOptions,
): Promise<FoundPath> {
  const command = ["ls", "-d", "--", path, `${path}/.`];
  const { exitCode, stdout, stderr } = await execSync(context.connection, containerId, command, callOptionsOf(options));
  // `ls` prints the same error message for both paths.
  const [message = ""] = String(stderr).trim().split("\n");
  if (stdout === "") return { kind: "nothing", error: commandFailed(context, "ls", exitCode, message) };
  return { kind: String(stdout).endsWith("/.\n") ? "folder" : "other" };
}

/** Creates a folder and its missing parents. */
export async function makeFolder(
  context: ClientContext,
  containerId: string,
  path: string,
  options: CopyOptions,
): Promise<void> {
  const command = ["mkdir", "-p", "--", path];
  const { exitCode, stderr } = await execSync(context.connection, containerId, command, callOptionsOf(options));
  if (exitCode !== 0) throw commandFailed(context, "mkdir", exitCode, String(stderr));
}

/** Waits for the end of `tar`. @throws CriError unless it succeeded */
export async function finishTar(
  context: ClientContext,
  session: ExecSession,
  errorOutput: Promise<string>,
): Promise<void> {
  const [{ exitCode }, output] = await Promise.all([session.exit, errorOutput]);
  if (exitCode !== 0) throw commandFailed(context, "tar", exitCode, output);
}

function commandFailed(context: ClientContext, program: string, exitCode: number, errorOutput: string): CriError {
  const reason = errorOutput.trim().split("\n").slice(0, 3).join("; ");
  return new CriError({
    code: /no such file|not found|can't stat/i.test(reason) ? "NOT_FOUND" : "COMMAND_FAILED",
    message: `${program} in the container ended with exit code ${exitCode}${reason && `: ${reason}`}`,
    method: "RuntimeService/Exec",
    endpoint: context.connection.endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

const maxErrorOutputLength = 4_096;

/** Collects the beginning of a program's error output. Reads and drops the rest. */
export async function readErrorOutput(stream: Readable | null): Promise<string> {
  let output = "";
  try {
    for await (const chunk of (stream ?? []) as AsyncIterable<Buffer>) {
      if (output.length < maxErrorOutputLength) output += chunk.toString("utf8");
    }
  } catch {
    // The session's `exit` rejects with the reason.
  }
  return output;
}

/** Checks and normalizes a path in the container. @throws InvalidInputError */
export function checkContainerPath(path: string): string {
  const normal = typeof path === "string" && path.startsWith("/") ? posix.normalize(path).replace(/\/+$/, "") : "";
  if (normal !== "") return normal;
  throw new InvalidInputError({
    field: "containerPath",
    message: "must be an absolute path other than /",
    value: path,
  });
}
