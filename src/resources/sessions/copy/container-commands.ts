/**
 * What both directions ask of the container.
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
 * Options of copying. `timeoutMs` limits each of the two or three commands that a copy runs in the container, `deadline` all of them
 * together, and `signal` stops the copy at any time. Without them a copy may last for ever.
 */
export type CopyOptions = SessionOptions;

/** What a path in the container leads to, links followed; `error` is what `ls` has to say where there is nothing. */
export type FoundPath = { kind: "folder" | "other" } | { kind: "nothing"; error: CriError };

/** Asks `ls` what is at a path: `path/.` is there if it is a folder or a link to one. */
export async function findPath(
  context: ClientContext,
  containerId: string,
  path: string,
  options: CopyOptions,
): Promise<FoundPath> {
  const command = ["ls", "-d", "--", path, `${path}/.`];
  const { exitCode, stdout, stderr } = await execSync(context.connection, containerId, command, callOptionsOf(options));
  // The same is said of both paths.
  const [said = ""] = String(stderr).trim().split("\n");
  if (stdout === "") return { kind: "nothing", error: failed(context, "ls", exitCode, said) };
  return { kind: String(stdout).endsWith("/.\n") ? "folder" : "other" };
}

/** Makes a folder and those that lead to it. */
export async function makeFolder(
  context: ClientContext,
  containerId: string,
  path: string,
  options: CopyOptions,
): Promise<void> {
  const command = ["mkdir", "-p", "--", path];
  const { exitCode, stderr } = await execSync(context.connection, containerId, command, callOptionsOf(options));
  if (exitCode !== 0) throw failed(context, "mkdir", exitCode, String(stderr));
}

/** Waits for the end of `tar`, which must be a good one. */
export async function finishTar(
  context: ClientContext,
  session: ExecSession,
  complaint: Promise<string>,
): Promise<void> {
  const [{ exitCode }, text] = await Promise.all([session.exit, complaint]);
  if (exitCode !== 0) throw failed(context, "tar", exitCode, text);
}

function failed(context: ClientContext, program: string, exitCode: number, complaint: string): CriError {
  const said = complaint.trim().split("\n").slice(0, 3).join("; ");
  return new CriError({
    code: /no such file|not found|can't stat/i.test(said) ? "NOT_FOUND" : "COMMAND_FAILED",
    message: `${program} in the container ended with exit code ${exitCode}${said && `: ${said}`}`,
    method: "RuntimeService/Exec",
    endpoint: context.connection.endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

const mostComplaint = 4_096;

/** The beginning of what a program says; the rest is read and dropped. */
export async function readErrorOutput(stream: Readable | null): Promise<string> {
  let text = "";
  try {
    for await (const chunk of (stream ?? []) as AsyncIterable<Buffer>) {
      if (text.length < mostComplaint) text += chunk.toString("utf8");
    }
  } catch {
    // The session says what became of it.
  }
  return text;
}

/** A path in the container without what is superfluous in it. */
export function checkContainerPath(path: string): string {
  const normal = typeof path === "string" && path.startsWith("/") ? posix.normalize(path).replace(/\/+$/, "") : "";
  if (normal !== "") return normal;
  throw new InvalidInputError({
    field: "containerPath",
    message: "must be an absolute path other than /",
    value: path,
  });
}
