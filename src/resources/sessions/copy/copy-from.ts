import { CriError } from "../../../errors.js";
import type { FieldsOf } from "../../../input/call-options.js";
import type { Folder } from "../../../internal/files/folder.js";
import { LocalFileError } from "../../../internal/files/local-file-error.js";
import { asWorkflow } from "../../../tracing/workflow.js";
import type { ClientContext } from "../../context.js";
import { type CopyOptions, checkCopyOptions, checkLimit, copyFields } from "./container-commands.js";
import { checkContainerPath } from "./container-path.js";
import { pathForName, stageCopy } from "./destination.js";
import { checkLocalPath, localPathError } from "./local-path.js";
import { receiveArchive } from "./tar-session.js";
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
  /**
   * Copies the source into the folder at the local path, under the name of the source, as `cp` does. Applies if the path is an
   * existing folder, or ends with `/`. A symbolic link to a folder counts only if the path ends with `/`. By default the path
   * itself becomes a copy of the source.
   *
   * @defaultValue false
   */
  intoFolder?: boolean | undefined;
}

const copyFromFields: FieldsOf<CopyFromOptions> = { intoFolder: true, maxBytes: true, maxEntries: true, ...copyFields };

const defaultMaxEntries = 1_000_000;
const defaultShareOfFreeSpace = 0.9;

/** Copies a file or folder out of a container, as `Container.copyFrom` describes. */
export const copyFrom = asWorkflow(
  { name: "container.copyFrom", subject: ([, id]) => ({ containerId: id }) },
  receiveCopy,
);

async function receiveCopy(
  context: ClientContext,
  containerId: string,
  containerPath: string,
  givenPath: string,
  options: CopyFromOptions = {},
): Promise<CopyFromResult> {
  checkCopyOptions(options, copyFromFields);
  const { system, path: source } = checkContainerPath(containerPath);
  checkLocalPath(givenPath);
  const { maxBytes, maxEntries = defaultMaxEntries, intoFolder = false, ...rest } = options;
  checkLimit("maxBytes", maxBytes);
  checkLimit("maxEntries", maxEntries);
  const found = await system.find(context, containerId, source, options);
  if (found.kind === "nothing") throw found.error;
  const name = system.basename(source);
  const localPath = intoFolder ? await pathForName(givenPath, name) : givenPath;
  const copied = found.kind === "folder" ? { folder: name } : { file: name };
  try {
    return await stageCopy(localPath, copied, async (staging, copyName) => {
      const limits = { maxBytes: maxBytes ?? (await defaultMaxBytes(staging)), maxEntries };
      const consume = (archive: AsyncIterable<Uint8Array>) => unpack(archive, staging, copyName, limits, copied.file);
      const command = system.sendCommand(source, found.kind);
      const result = await receiveArchive(context, containerId, command, consume, rest);
      options.signal?.throwIfAborted();
      return result;
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw isLocal(error) ? localPathError("cannot be written", localPath, error) : error;
  }
}

async function defaultMaxBytes(staging: Folder): Promise<number> {
  return Math.floor((await staging.freeBytes()) * defaultShareOfFreeSpace);
}

/** Returns whether an error comes from the local file system. */
function isLocal(error: unknown): boolean {
  if (CriError.is(error)) return false;
  return error instanceof LocalFileError || typeof (error as NodeJS.ErrnoException | null)?.syscall === "string";
}
