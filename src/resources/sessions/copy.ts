import { cp, mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, posix, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { callOptionsOf } from "../../calls/budget.js";
import { CriError, InvalidInputError } from "../../errors.js";
import type { Core } from "../core.js";
import { execSync } from "../exec-sync.js";
import { exec } from "./exec.js";
import { isEndOfCommand, noEndOfInput } from "./exec-output.js";
import type { SessionOptions } from "./opening.js";
import type { ExecSession } from "./session.js";

/** Options of copying. `timeoutMs` and `deadline` are for opening the session; `signal` stops the copying too. */
export type CopyOptions = SessionOptions;

/**
 * Copies a file or folder into a container, by way of `tar` and `mkdir` there. Afterwards the path in the container is what the
 * local one is; a folder that exists is added to. Modes, times, symbolic links and empty folders are kept; the owner is the
 * container's user.
 */
export async function copyTo(
  core: Core,
  containerId: string,
  localPath: string,
  containerPath: string,
  options: CopyOptions = {},
): Promise<void> {
  const source = resolve(localPath);
  const target = checkContainerPath(containerPath);
  await stat(source).catch((cause: unknown) => {
    throw new InvalidInputError({ field: "localPath", message: "cannot be read", value: localPath, cause });
  });
  const folder = posix.dirname(target);
  const made = await execSync(core.connection, containerId, ["mkdir", "-p", "--", folder], callOptionsOf(options));
  if (made.exitCode !== 0) throw failed(core, "mkdir", made.exitCode, String(made.stderr));

  const { create } = await import("tar");
  await using session = await exec(core, containerId, ["tar", "-xof", "-", "-C", folder], {
    ...options,
    stdin: true,
    stdout: false,
  });
  if (!session.stdin || !session.canHalfCloseStdin) throw noEndOfInput(core.connection.endpoint);
  const [from, to] = [basename(source), posix.basename(target)];
  const renamed = (path: string) => to + path.replace(/^\.\//, "").slice(from.length);
  const archive = create(
    {
      cwd: dirname(source),
      // A file that cannot be read is no file to leave out.
      strict: true,
      onWriteEntry: (entry) => {
        // A hard link leads to another entry; a symbolic one to wherever it says.
        if (entry.type === "Link" && entry.linkpath !== undefined) entry.linkpath = renamed(entry.linkpath);
        entry.path = renamed(entry.path);
      },
    },
    // A bare name that begins with @ would be an archive to include.
    [`./${from}`],
  );
  const complaint = textOf(session.stderr);
  await pipeline(archive as unknown as Readable, session.stdin).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    if (!isEndOfCommand(error)) throw error;
  });
  await finish(core, session, complaint);
}

/**
 * Copies a file or folder out of a container, by way of `tar` and `ls` there. Afterwards the local path is what the one in the
 * container is; a folder that exists is added to. Modes, times, symbolic links and empty folders are kept; the owner is this process's user.
 * An archive whose entries lead anywhere else is refused, for the container may be hostile.
 */
export async function copyFrom(
  core: Core,
  containerId: string,
  containerPath: string,
  localPath: string,
  options: CopyOptions = {},
): Promise<void> {
  const source = checkContainerPath(containerPath);
  const target = resolve(localPath);
  const found = await execSync(core.connection, containerId, ["ls", "-d", "--", source], callOptionsOf(options));
  if (found.exitCode !== 0) throw failed(core, "ls", found.exitCode, String(found.stderr));
  const { extract } = await import("tar");
  await mkdir(dirname(target), { recursive: true });
  // Unpacked aside and moved when all has arrived: nothing half-copied is left where somebody may look.
  const aside = await mkdtemp(join(dirname(target), ".copy-"));
  try {
    const name = posix.basename(source);
    await using session = await exec(
      core,
      containerId,
      ["tar", "-cf", "-", "-C", posix.dirname(source), "--", name],
      options,
    );
    const complaint = textOf(session.stderr);
    const unpack = extract({
      cwd: aside,
      strict: true,
      preserveOwner: false,
      filter: (path) => checkEntry(path, name),
    });
    // node-tar may report more than one error, the last of them when nobody waits any more.
    unpack.on("error", () => {});
    // It has taken everything before it has written everything.
    const written = new Promise((resolve) => unpack.on("close", resolve));
    const unpacked = await pipeline(session.stdout as Readable, unpack as unknown as NodeJS.WritableStream).then(
      () => written.then(() => undefined),
      (error: unknown) => ({ error }),
    );
    if (CriError.is(unpacked?.error)) throw unpacked.error;
    // What tar in the container says of a missing file is worth more than that its archive is none.
    await finish(core, session, complaint).catch((error: unknown) => {
      throw unpacked && !CriError.is(error, "NOT_FOUND", "COMMAND_FAILED") ? badArchive(core, unpacked.error) : error;
    });
    if (unpacked) throw badArchive(core, unpacked.error);
    await moveInto(join(aside, name), target);
  } finally {
    // An unpacking that failed may still be writing for a moment.
    await rm(aside, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

function badArchive(core: Core, cause: unknown): CriError {
  return new CriError({
    code: "INVALID_RESPONSE",
    message: `what tar in the container sent cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}`,
    method: "RuntimeService/Exec",
    endpoint: core.connection.endpoint,
    attempts: 1,
    cause,
  });
}

async function moveInto(from: string, target: string): Promise<void> {
  const existing = await stat(target).catch(() => undefined);
  if (existing?.isDirectory())
    await cp(from, target, { recursive: true, force: true, verbatimSymlinks: true, preserveTimestamps: true });
  else await rename(from, target);
}

/** Refuses entries outside of what was asked for. node-tar would leave such out without a word. */
function checkEntry(path: string, name: string): boolean {
  const parts = path.split("/");
  if (path.startsWith("/") || parts.includes("..") || parts.find((part) => part !== "." && part !== "") !== name) {
    throw new CriError({
      code: "INVALID_RESPONSE",
      message: `the archive from the container has an entry outside of ${name}: ${JSON.stringify(path.slice(0, 200))}`,
      method: "RuntimeService/Exec",
      attempts: 1,
    });
  }
  return true;
}

async function finish(core: Core, session: ExecSession, complaint: Promise<string>): Promise<void> {
  const [{ exitCode }, text] = await Promise.all([session.exit, complaint]);
  if (exitCode !== 0) throw failed(core, "tar", exitCode, text);
}

function failed(core: Core, program: string, exitCode: number, complaint: string): CriError {
  const said = complaint.trim().split("\n").slice(0, 3).join("; ");
  return new CriError({
    code: /no such file|not found|can't stat/i.test(said) ? "NOT_FOUND" : "COMMAND_FAILED",
    message: `${program} in the container ended with exit code ${exitCode}${said && `: ${said}`}`,
    method: "RuntimeService/Exec",
    endpoint: core.connection.endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

const mostComplaint = 4_096;

/** The beginning of what a program says; the rest is read and dropped. */
async function textOf(stream: Readable | null): Promise<string> {
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

function checkContainerPath(path: string): string {
  const normal = typeof path === "string" && path.startsWith("/") ? posix.normalize(path).replace(/\/+$/, "") : "";
  if (normal !== "") return normal;
  throw new InvalidInputError({
    field: "containerPath",
    message: "must be an absolute path other than /",
    value: path,
  });
}
