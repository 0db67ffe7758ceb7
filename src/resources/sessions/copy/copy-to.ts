import { realpath } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import type { FieldsOf } from "../../../input/call-options.js";
import { PathHandle } from "../../../internal/files/path-handle.js";
import { rollbackTimeoutMs } from "../../../options.js";
import { asWorkflow } from "../../../tracing/workflow.js";
import type { ClientContext } from "../../context.js";
import { execSync } from "../exec-sync.js";
import { type ArchiveSource, archive } from "./archive.js";
import { type CopyOptions, checkCopyOptions, copyFields, makeFolder } from "./container-commands.js";
import { type ContainerPath, checkContainerFolder, checkContainerPath } from "./container-path.js";
import { CopyLimit } from "./copy-limit.js";
import { checkLocalPath, localPathError } from "./local-path.js";
import { sendArchive } from "./tar-session.js";

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
export const copyTo = asWorkflow({ name: "container.copyTo", subject: ([, id]) => ({ containerId: id }) }, sendCopy);

async function sendCopy(
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
    const isFolder = intoFolder && (await isFolderAt(context, containerId, given, givenPath, options));
    const target = isFolder ? checkContainerPath(within(given, localPath)) : given;
    const containerPath = isFolder ? target.path : givenPath;
    const { folder, source, isNew } = await prepareTarget(
      context,
      containerId,
      root,
      { localPath, containerPath, target },
      options,
    );
    const command = target.system.receiveCommand(folder, true);
    using limit = new CopyLimit(context, options);
    isSent = true;
    const removal = isNew ? target.system.removeCommand?.(target.path) : undefined;
    const reader = {
      ...{ containerId, command, release: () => root.close() },
      undo:
        removal &&
        (({ connection }: ClientContext) =>
          execSync(connection, containerId, removal, { timeoutMs: rollbackTimeoutMs })),
    };
    await sendArchive(context, reader, archive(source), options, limit);
  } finally {
    if (!isSent) await root.close();
  }
}

/** Returns whether a path is that of a folder, by its form or in the container. */
async function isFolderAt(
  context: ClientContext,
  containerId: string,
  { system, path }: ContainerPath,
  given: string,
  options: CopyOptions,
): Promise<boolean> {
  if (system.endsWithSeparator(given)) return true;
  return (await system.find(context, containerId, path, options)).kind === "folder";
}

/** Returns the path of a file with the name of the local one. */
function within({ system, path }: ContainerPath, localPath: string): string {
  return system.join(path, basename(resolve(localPath)));
}

/** Checks that the target fits the source, and creates the folder that the archive is unpacked into. */
async function prepareTarget(
  context: ClientContext,
  containerId: string,
  root: PathHandle,
  { localPath, containerPath, target }: { localPath: string; containerPath: string; target: ContainerPath },
  options: CopyOptions,
): Promise<{ folder: string; source: ArchiveSource; isNew: boolean }> {
  const { system, path } = target;
  const isFolder = root.stats.isDirectory();
  if (!isFolder && system.endsWithSeparator(containerPath)) throw targetIsFolder(localPath, target);
  const found = await system.find(context, containerId, path, options);
  const { kind } = found;
  // Without a program that lists it, or without permission, there may be something.
  const isNew = found.kind === "nothing" && found.error.code === "NOT_FOUND";
  if (!isFolder && kind === "folder") throw targetIsFolder(localPath, target);
  if (isFolder && kind === "other") {
    throw new InvalidInputError({
      field: "containerPath",
      message: "is not a folder in the container, but the local path is a folder",
      value: path,
    });
  }
  const { folder, name, needsFolder } = system.place(path, isFolder);
  if (needsFolder && kind === "nothing") await makeFolder(context, containerId, folder, options);
  const includeRoot = !isFolder || kind === "nothing";
  return { folder, source: { root, name, includeRoot, nameFault: system.nameFault }, isNew };
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

function targetIsFolder(localPath: string, target: ContainerPath): InvalidInputError {
  return new InvalidInputError({
    field: "containerPath",
    message: `is a folder, but the local path is a file; add the name of the file: ${within(target, localPath)}`,
    value: target.path,
  });
}
