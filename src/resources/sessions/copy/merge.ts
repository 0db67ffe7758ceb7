/**
 * Merges a folder into an existing one. Files, links and folders of the copy replace existing files and links. Existing folders are
 * never replaced, and keep their owner, mode and time.
 *
 * @module
 */
import { rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import { toText } from "../../../internal/files/byte-string.js";
import type { Folder } from "../../../internal/files/folder.js";
import { mountPointsBelow } from "./mount-points.js";
import { checkSafeForRoot } from "./safe-for-root.js";
import { closeStaged, openStaged } from "./staging.js";

/** Merges a folder of the copy into an existing one. Checks everything before it moves anything. */
export async function merge(copy: Folder, target: Folder): Promise<void> {
  const { dev } = await copy.stat();
  await check(copy, target, "", { dev, mountPoints: await mountPointsBelow(target) });
  await moveAll(copy, target);
}

interface FileSystem {
  dev: number;
  /** The mount points below the target. */
  mountPoints: ReadonlySet<string>;
}

async function check(copy: Folder, target: Folder, path: string, fileSystem: FileSystem): Promise<void> {
  const refuse = async (message: string, name = ".") => {
    const value = join(toText(await target.path()), toText(name));
    throw new InvalidInputError({ field: "localPath", message, value });
  };
  await checkSafeForRoot(target);
  await readOnlyMode(target);
  if ((await target.stat()).dev !== fileSystem.dev) await refuse(otherFileSystem);
  for await (const name of copy.names()) {
    const existing = await target.lstat(name);
    if (!existing) continue;
    if (fileSystem.mountPoints.has(path + name)) await refuse(otherFileSystem, name);
    if (!existing.isDirectory()) continue;
    if (!(await copy.lstat(name))?.isDirectory()) await refuse("has a folder where the copy has a file or link", name);
    await using inTarget = await target.folder(name);
    const inCopy = await openStaged(copy, name);
    try {
      await check(inCopy.folder, inTarget, `${path}${name}/`, fileSystem);
    } finally {
      await closeStaged(inCopy);
    }
  }
}

const otherFileSystem = "has another file system mounted at a path of the copy; copy to that path separately";

async function moveAll(copy: Folder, target: Folder): Promise<void> {
  const mode = await readOnlyMode(target);
  const { mtime } = await target.stat();
  if (mode !== undefined) await target.chmod(mode | 0o300);
  try {
    for await (const name of copy.names()) {
      const existing = await target.lstat(name);
      const isFolder = (await copy.lstat(name))?.isDirectory() ?? false;
      if (isFolder && existing?.isDirectory()) {
        await using inTarget = await target.folder(name);
        await using inCopy = (await openStaged(copy, name)).folder;
        await moveAll(inCopy, inTarget);
      } else {
        if (isFolder && existing) await unlink(target.at(name));
        await move(copy, name, target, name);
      }
    }
  } finally {
    if (mode !== undefined) await target.chmod(mode);
    // Only the owner may set the time of a folder. On NFS, or without CAP_FOWNER, root may not.
    await target.utimes(mtime).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EPERM") throw error;
    });
  }
}

/** Moves a file, link or folder of the copy. A folder keeps its mode, even if the mode must be changed in order to move it. */
export async function move(copy: Folder, name: string, target: Folder, newName: string): Promise<void> {
  if (!(await copy.lstat(name))?.isDirectory()) return rename(copy.at(name), target.at(newName));
  const staged = await openStaged(copy, name);
  try {
    await staged.folder.move(copy.at(name), target, newName);
  } finally {
    await closeStaged(staged);
  }
}

/**
 * Returns the mode of a folder that this user owns but cannot write to, or undefined for a writable folder.
 *
 * @throws the error of `node:fs` for a folder of another user that is not writable
 */
async function readOnlyMode(folder: Folder): Promise<number | undefined> {
  try {
    await folder.checkWritable();
    return undefined;
  } catch (error) {
    const { uid, mode } = await folder.stat();
    if ((error as NodeJS.ErrnoException).code !== "EACCES" || uid !== process.getuid?.()) throw error;
    return mode & 0o7777;
  }
}
