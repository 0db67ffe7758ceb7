import { posix } from "node:path";
import type { Readable } from "node:stream";
import { CriError, InvalidInputError } from "../../../errors.js";
import { checkOptions, type FieldsOf } from "../../../input/call-options.js";
import type { Folder } from "../../../internal/files/folder.js";
import { LocalFileError } from "../../../internal/files/local-file-error.js";
import { waitAtMost } from "../../../internal/timer.js";
import type { ClientContext } from "../../context.js";
import { exec } from "../exec.js";
import { sessionFields } from "../open-session.js";
import { type CopyOptions, checkContainerPath, findPath, finishTar, readErrorOutput } from "./container-commands.js";
import { type CopySource, stageCopy } from "./destination.js";
import { checkLocalPath, localPathError } from "./local-path.js";
import type { ArchiveLimits } from "./tar/entries.js";
import { type CopyFromResult, unpack } from "./unpack.js";

/** Options of `copyFrom`. */
export interface CopyFromOptions extends CopyOptions {
  /**
   * Limits how many bytes the container may send: the content of all files, and 512 bytes or a little more for each file. A
   * larger copy fails with `RESOURCE_EXHAUSTED`. With `Infinity`, only the disk limits the copy.
   *
   * @defaultValue nine tenths of the free space on the file system of the local path, so that a container cannot fill the disk
   */
  maxBytes?: number | undefined;
  /**
   * Limits how many files, folders and links the container may send. A larger copy fails with `RESOURCE_EXHAUSTED`.
   *
   * @defaultValue 1000000, several times the number of files of a whole operating system
   */
  maxEntries?: number | undefined;
}

const copyFromFields: FieldsOf<CopyFromOptions> = { maxBytes: true, maxEntries: true, ...sessionFields };

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
  checkOptions(options, copyFromFields);
  const source = checkContainerPath(containerPath);
  checkLocalPath(localPath);
  checkLimit("maxBytes", options.maxBytes);
  checkLimit("maxEntries", options.maxEntries);
  const found = await findPath(context, containerId, source, options);
  if (found.kind === "nothing") throw found.error;
  const name = posix.basename(source);
  const copied = found.kind === "folder" ? { folder: name } : { file: name };
  try {
    return await stageCopy(localPath, copied, async (staging, copyName) => {
      const limits = await limitsFor(options, staging);
      const consume = (archive: Readable) => unpack(archive, staging, copyName, limits, copied.file);
      const result = await receive(context, containerId, commandFor(source, copied), consume, options);
      options.signal?.throwIfAborted();
      return result;
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw isLocal(error) ? localPathError("cannot be written", localPath, error) : error;
  }
}

/** Returns the `tar` command that sends a file, or the content of a folder. It follows a link at the path itself. */
function commandFor(source: string, copied: CopySource): string[] {
  if ("folder" in copied) return ["tar", "-cf", "-", "-C", source, "."];
  return ["tar", "-chf", "-", "-C", posix.dirname(source), "--", copied.file];
}

async function receive<T>(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  consume: (archive: Readable) => Promise<T>,
  options: CopyFromOptions,
): Promise<T> {
  await using session = await exec(context, containerId, command, options);
  const archive = session.stdout as Readable;
  const errorOutput = readErrorOutput(session.stderr);
  try {
    const result = await consume(archive);
    await finishTar(context, session, errorOutput);
    return result;
  } catch (error) {
    // If tar failed, its own error message is more useful than that the archive is truncated.
    if (CriError.is(error, "INVALID_RESPONSE") && archive.readableEnded) {
      await waitAtMost(exitTimeoutMs, finishTar(context, session, errorOutput));
    }
    throw error;
  }
}

/** How long to wait for the exit code of a command whose output has ended, in milliseconds. */
const exitTimeoutMs = 2_000;

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

/** Whether an error comes from the local file system. */
function isLocal(error: unknown): boolean {
  if (CriError.is(error)) return false;
  return error instanceof LocalFileError || typeof (error as NodeJS.ErrnoException | null)?.syscall === "string";
}
