/**
 * How a folder is added to one that exists. Files and links give way, also to folders; folders give way to nothing, and keep their
 * owner, mode and time.
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

/** Adds a folder of the copy to one that exists. What cannot be done is found out before anything is moved. */
export async function merge(copy: Folder, target: Folder): Promise<void> {
  const { dev } = await copy.stat();
  await check(copy, target, "", { dev, mounted: await mountPointsBelow(target) });
  await moveAll(copy, target);
}

interface FileSystem {
  dev: number;
  /** The paths below the target that something else is mounted at. */
  mounted: ReadonlySet<string>;
}

async function check(copy: Folder, target: Folder, path: string, fileSystem: FileSystem): Promise<void> {
  const refuse = async (message: string, name = ".") => {
    const value = join(toText(await target.path()), toText(name));
    throw new InvalidInputError({ field: "localPath", message, value });
  };
  await checkSafeForRoot(target);
  await closedMode(target);
  if ((await target.stat()).dev !== fileSystem.dev) await refuse(otherFileSystem);
  for await (const name of copy.names()) {
    const there = await target.lstat(name);
    if (!there) continue;
    if (fileSystem.mounted.has(path + name)) await refuse(otherFileSystem, name);
    if (!there.isDirectory()) continue;
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

const otherFileSystem = "has another file system mounted where the copy has something; copy to that path by itself";

async function moveAll(copy: Folder, target: Folder): Promise<void> {
  const mode = await closedMode(target);
  const { mtime } = await target.stat();
  if (mode !== undefined) await target.chmod(mode | 0o300);
  try {
    for await (const name of copy.names()) {
      const there = await target.lstat(name);
      const isFolder = (await copy.lstat(name))?.isDirectory() ?? false;
      if (isFolder && there?.isDirectory()) {
        await using inTarget = await target.folder(name);
        await using inCopy = (await openStaged(copy, name)).folder;
        await moveAll(inCopy, inTarget);
      } else {
        if (isFolder && there) await unlink(target.at(name));
        await move(copy, name, target, name);
      }
    }
  } finally {
    if (mode !== undefined) await target.chmod(mode);
    // Only the owner may set the time of a folder. Root may not on NFS, or without CAP_FOWNER.
    await target.utimes(mtime).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EPERM") throw error;
    });
  }
}

/** Moves a file, link or folder of the copy. A folder keeps its mode, even one that must be changed to be moved. */
export async function move(copy: Folder, name: string, target: Folder, newName: string): Promise<void> {
  if (!(await copy.lstat(name))?.isDirectory()) return rename(copy.at(name), target.at(newName));
  const staged = await openStaged(copy, name);
  try {
    await staged.folder.move(copy.at(name), target, newName);
  } finally {
    await closeStaged(staged);
  }
}

/** The mode of a folder that only its owner could write to, and only after changing it; nothing if it can be written to. */
async function closedMode(folder: Folder): Promise<number | undefined> {
  try {
    await folder.checkWritable();
    return undefined;
  } catch (error) {
    const { uid, mode } = await folder.stat();
    if ((error as NodeJS.ErrnoException).code !== "EACCES" || uid !== process.getuid?.()) throw error;
    return mode & 0o7777;
  }
}
