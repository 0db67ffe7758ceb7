/**
 * The commands that a copy runs in the container.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { CriError, InvalidInputError } from "../../../errors.js";
import { checkOptions, type FieldsOf } from "../../../input/call-options.js";
import { callOptionsOf } from "../../../rpcs/budget.js";
import type { ClientContext } from "../../context.js";
import { execSync } from "../exec-sync.js";
import { type SessionOptions, sessionFields } from "../open-session.js";
import type { ExecSession } from "../session.js";
import type { ProgressOptions } from "./progress.js";

/**
 * Options of `copyTo`, and the common options of all methods that copy. `timeoutMs` limits each of the one to three commands that a
 * copy runs in the container, `deadline` limits all of them together, and `signal` stops the copy at any time. By default a copy
 * has no time limit.
 */
export interface CopyOptions extends SessionOptions, ProgressOptions {}

export const copyFields: FieldsOf<CopyOptions> = { onProgress: true, ...sessionFields };

/** Checks the names of a copy's options, and `onProgress`. @throws InvalidInputError */
export function checkCopyOptions<T extends CopyOptions>(options: T, fields: FieldsOf<T>): void {
  checkOptions(options, fields);
  const { onProgress } = options;
  if (onProgress === undefined || typeof onProgress === "function") return;
  throw new InvalidInputError({ field: "onProgress", message: "must be a function", value: onProgress });
}

/** The kind of file at a path in the container. Links are followed. `error` contains the error message of the command. */
export type FoundPath = { kind: "folder" | "other" } | { kind: "nothing"; error: CriError };

/** Creates a folder and its missing parents in a Linux container. */
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

/**
 * Waits for the end of a command.
 *
 * @param program its name in the error message
 * @throws CriError unless it succeeded
 */
export async function finishCommand(
  context: ClientContext,
  session: ExecSession,
  errorOutput: Promise<string>,
  program = "tar",
): Promise<void> {
  const [{ exitCode }, output] = await Promise.all([session.exit, errorOutput]);
  if (exitCode !== 0) throw commandFailed(context, program, exitCode, output);
}

/** The exit code of a shell that does not find a program. */
const programNotFound = 127;

/** Returns the error of a command that failed. */
export function commandFailed(
  context: ClientContext,
  program: string,
  exitCode: number,
  errorOutput: string,
): CriError {
  const reason = errorOutput.trim().split("\n").slice(0, 3).join("; ");
  const isNotFound = /no such file|not found|can't stat|could not chdir/i.test(reason);
  return new CriError({
    code: exitCode === programNotFound ? "COMMAND_NOT_FOUND" : isNotFound ? "NOT_FOUND" : "COMMAND_FAILED",
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

/** Checks a limit of a copy. @throws InvalidInputError */
export function checkLimit(field: "maxBytes" | "maxEntries", value: number | undefined): void {
  if (value === undefined || (typeof value === "number" && value >= 0)) return;
  throw new InvalidInputError({ field, message: "must be a number from 0, or Infinity for no limit", value });
}
