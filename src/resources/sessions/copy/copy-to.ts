import { realpath } from "node:fs/promises";
import { basename, posix, resolve } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import { checkOptions } from "../../../input/call-options.js";
import { PathHandle } from "../../../internal/files/path-handle.js";
import { stdinCannotEnd } from "../../../streaming/stdin-cannot-end.js";
import type { ClientContext } from "../../context.js";
import { exec } from "../exec.js";
import { sessionFields } from "../open-session.js";
import { sendInput } from "../send-input.js";
import { type ArchiveSource, archive } from "./archive.js";
import {
  type CopyOptions,
  checkContainerPath,
  findPath,
  finishTar,
  makeFolder,
  readErrorOutput,
} from "./container-commands.js";
import { checkLocalPath, localPathError } from "./local-path.js";

/**
 * Copies a file or folder into a container. The container must have `tar`, `mkdir` and `ls`. Links at the local path are
 * followed.
 *
 * - A file replaces a file or link, but not a folder.
 * - A folder is merged into an existing folder, or the folder that a link leads to. The existing folder keeps its own mode. A folder
 *   does not replace a file.
 * - Modes, times, links and empty folders are kept. The owner is the container's user. Sockets, pipes and devices in a folder are left
 *   out.
 * - A folder may be 256 levels deep. File names must be UTF-8.
 *
 * Links in a folder are copied and never followed. On Linux this is also true of a link with which another user replaces a file
 * or folder during the copy, so nothing from outside the local path reaches the container.
 *
 * @throws InvalidInputError with the path that cannot be read, or that changed while it was being read
 */
export async function copyTo(
  context: ClientContext,
  containerId: string,
  localPath: string,
  containerPath: string,
  options: CopyOptions = {},
): Promise<void> {
  checkOptions(options, sessionFields);
  const target = checkContainerPath(containerPath);
  checkLocalPath(localPath);
  await using root = await openSource(localPath);
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
  try {
    await send(context, containerId, source, folder, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  }
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

async function send(
  context: ClientContext,
  containerId: string,
  source: ArchiveSource,
  folder: string,
  options: CopyOptions,
) {
  await using session = await exec(context, containerId, ["tar", "-xpof", "-", "-C", folder], {
    ...options,
    stdin: true,
    stdout: false,
  });
  if (!session.stdin || !session.canHalfCloseStdin) throw stdinCannotEnd(session.origin);
  const errorOutput = readErrorOutput(session.stderr);
  await sendInput(session.stdin, archive(source));
  await finishTar(context, session, errorOutput);
}
