import { realpath } from "node:fs/promises";
import { basename, posix, resolve } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import type { FieldsOf } from "../../../input/call-options.js";
import { PathHandle } from "../../../internal/files/path-handle.js";
import type { ClientContext } from "../../context.js";
import { type ArchiveSource, archive } from "./archive.js";
import {
  type CopyOptions,
  checkContainerFolder,
  checkContainerPath,
  checkCopyOptions,
  copyFields,
  findPath,
  makeFolder,
} from "./container-commands.js";
import { CopyLimit } from "./copy-limit.js";
import { checkLocalPath, localPathError } from "./local-path.js";
import { readingAllInput, sendArchive } from "./tar-session.js";

/** Options of `copyTo`. */
export interface CopyToOptions extends CopyOptions {
  /**
   * Copies the source into the folder at the container path, under the name of the source, as `cp` does. Applies if the path is an
   * existing folder, or ends with `/`. By default the path itself becomes a copy of the source.
   *
   * @defaultValue false
   */
  intoFolder?: boolean | undefined;
}

const copyToFields: FieldsOf<CopyToOptions> = { intoFolder: true, ...copyFields };

/** Copies a file or folder into a container, as `Container.copyTo` describes. */
export async function copyTo(
  context: ClientContext,
  containerId: string,
  localPath: string,
  givenPath: string,
  all: CopyToOptions = {},
): Promise<void> {
  checkCopyOptions(all, copyToFields);
  const { intoFolder = false, ...options } = all;
  const given = intoFolder ? checkContainerFolder(givenPath, "containerPath") : checkContainerPath(givenPath);
  checkLocalPath(localPath);
  const root = await openSource(localPath);
  let isSent = false;
  try {
    const isFolder =
      intoFolder && (givenPath.endsWith("/") || (await isFolderAt(context, containerId, given, options)));
    const target = isFolder ? posix.join(given, basename(resolve(localPath))) : given;
    const containerPath = isFolder ? target : givenPath;
    const { folder, source } = await prepareTarget(
      context,
      containerId,
      root,
      { localPath, containerPath, target },
      options,
    );
    const command = readingAllInput(["tar", "-xpof", "-", "-C", folder]);
    using limit = new CopyLimit(context, options);
    isSent = true;
    const reader = { containerId, command, release: () => root.close() };
    await sendArchive(context, reader, archive(source), options, limit);
  } finally {
    if (!isSent) await root.close();
  }
}

async function isFolderAt(context: ClientContext, containerId: string, path: string, options: CopyOptions) {
  return (await findPath(context, containerId, path, options)).kind === "folder";
}

/** Checks that the target fits the source, and creates the folder that the archive is unpacked into. */
async function prepareTarget(
  context: ClientContext,
  containerId: string,
  root: PathHandle,
  { localPath, containerPath, target }: { localPath: string; containerPath: string; target: string },
  options: CopyOptions,
): Promise<{ folder: string; source: ArchiveSource }> {
  const isFolder = root.stats.isDirectory();
  if (!isFolder && containerPath.endsWith("/")) throw targetIsFolder(localPath, target);
  const { kind } = await findPath(context, containerId, target, options);
  if (!isFolder && kind === "folder") throw targetIsFolder(localPath, target);
  if (isFolder && kind === "other") {
    throw new InvalidInputError({
      field: "containerPath",
      message: "is not a folder in the container, but the local path is a folder",
      value: target,
    });
  }
  const folder = isFolder ? target : posix.dirname(target);
  if (kind === "nothing") await makeFolder(context, containerId, folder, options);
  const source: ArchiveSource = isFolder
    ? { root, name: ".", includeRoot: kind === "nothing" }
    : { root, name: `./${posix.basename(target)}`, includeRoot: true };
  return { folder, source };
}

/** Opens the local path, and follows a link at its end. */
async function openSource(localPath: string): Promise<PathHandle> {
  const root = await open(localPath);
  if (root.stats.isDirectory() || root.stats.isFile()) return root;
  await root.close();
  throw new InvalidInputError({ field: "localPath", message: "is neither a file nor a folder", value: localPath });
}

async function open(localPath: string): Promise<PathHandle> {
  try {
    return await PathHandle.open(await realpath(resolve(localPath)), { follow: false });
  } catch (cause) {
    throw localPathError("cannot be read", localPath, cause);
  }
}

function targetIsFolder(localPath: string, target: string): InvalidInputError {
  return new InvalidInputError({
    field: "containerPath",
    message: `is a folder, but the local path is a file; add the name of the file: ${posix.join(target, basename(localPath))}`,
    value: target,
  });
}
