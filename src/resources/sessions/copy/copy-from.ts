import { posix } from "node:path";
import type { Readable } from "node:stream";
import { CriError, InvalidInputError } from "../../../errors.js";
import type { Folder } from "../../../internal/files/folder.js";
import { LocalFileError } from "../../../internal/files/local-file-error.js";
import { startTimer } from "../../../internal/timer.js";
import type { ClientContext } from "../../context.js";
import { exec } from "../exec.js";
import { type CopyOptions, checkContainerPath, findPath, finishTar, readErrorOutput } from "./container-commands.js";
import { type CopySource, stageCopy } from "./destination.js";
import { checkLocalPath, localPathError } from "./local-path.js";
import type { ArchiveLimits } from "./tar/entries.js";
import { type CopyFromResult, unpack } from "./unpack.js";

/** Options of `copyFrom`. */
export interface CopyFromOptions extends CopyOptions {
  /**
   * How many bytes the container may send: the content of all files, and 512 bytes or a little more for each of them. A larger
   * copy is refused with `RESOURCE_EXHAUSTED`. `Infinity` for no limit but the disk.
   *
   * @defaultValue nine tenths of the space that is free where the copy goes, so that a container cannot fill the disk
   */
  maxBytes?: number | undefined;
  /**
   * How many files, folders and links the container may send. A larger copy is refused with `RESOURCE_EXHAUSTED`.
   *
   * @defaultValue 1000000, several times what the file system of a whole operating system has
   */
  maxEntries?: number | undefined;
}

const defaultMaxEntries = 1_000_000;
const defaultShareOfFreeSpace = 0.9;

/** Copies a file or folder out of a container, as `Container.copyFrom` describes. */
export async function copyFrom(
  context: ClientContext,
  containerId: string,
  containerPath: string,
  localPath: string,
  options: CopyFromOptions = {},
): Promise<CopyFromResult> {
  const source = checkContainerPath(containerPath);
  checkLocalPath(localPath);
  checkLimit("maxBytes", options.maxBytes);
  checkLimit("maxEntries", options.maxEntries);
  const found = await findPath(context, containerId, source, options);
  if (found.kind === "nothing") throw found.error;
  const name = posix.basename(source);
  const copied = found.kind === "folder" ? { folder: name } : { file: name };
  try {
    return await stageCopy(localPath, copied, async (staging, copy) => {
      const limits = await limitsFor(options, staging);
      const take = (archive: Readable) => unpack(archive, staging, copy, limits, copied.file);
      const result = await receive(context, containerId, commandFor(source, copied), take, options);
      options.signal?.throwIfAborted();
      return result;
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw isLocal(error) ? localPathError("cannot be written", localPath, error) : error;
  }
}

/** Of a folder its content, of a file what a link leads to: either way links at the path itself are followed. */
function commandFor(source: string, copied: CopySource): string[] {
  if ("folder" in copied) return ["tar", "-cf", "-", "-C", source, "."];
  return ["tar", "-chf", "-", "-C", posix.dirname(source), "--", copied.file];
}

async function receive<T>(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  take: (archive: Readable) => Promise<T>,
  options: CopyFromOptions,
): Promise<T> {
  await using session = await exec(context, containerId, command, options);
  const archive = session.stdout as Readable;
  const complaint = readErrorOutput(session.stderr);
  try {
    const result = await take(archive);
    await finishTar(context, session, complaint);
    return result;
  } catch (error) {
    // What tar in the container says of a missing file is worth more than that its archive breaks off.
    if (CriError.is(error, "INVALID_RESPONSE") && archive.readableEnded) {
      await atMost(exitMs, finishTar(context, session, complaint));
    }
    throw error;
  }
}

/** How long to wait for the exit code of a command whose output has ended. */
const exitMs = 2_000;

async function atMost(ms: number, settled: Promise<unknown>): Promise<void> {
  let stopTimer = () => {};
  const late = new Promise<void>((resolve) => {
    stopTimer = startTimer(ms, resolve);
  });
  await Promise.race([settled, late]).finally(stopTimer);
}

async function limitsFor({ maxBytes, maxEntries }: CopyFromOptions, staging: Folder): Promise<ArchiveLimits> {
  return {
    maxBytes: maxBytes ?? Math.floor((await staging.freeBytes()) * defaultShareOfFreeSpace),
    maxEntries: maxEntries ?? defaultMaxEntries,
  };
}

function checkLimit(field: "maxBytes" | "maxEntries", value: number | undefined): void {
  if (value === undefined || (typeof value === "number" && value >= 0)) return;
  throw new InvalidInputError({ field, message: "must be a number from 0, or Infinity for no limit", value });
}

function isLocal(error: unknown): boolean {
  if (CriError.is(error)) return false;
  return error instanceof LocalFileError || typeof (error as NodeJS.ErrnoException | null)?.syscall === "string";
}
