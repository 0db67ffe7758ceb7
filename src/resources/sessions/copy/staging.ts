/**
 * The folder that a copy is prepared in, on the file system it goes to. It belongs to this process's user, who alone can get into
 * it: other users can replace nothing in there.
 *
 * @module
 */
import { chmod, mkdtemp, rm, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import { quoted, toText } from "../../../internal/files/byte-string.js";
import { emptyFolder } from "../../../internal/files/empty-folder.js";
import type { Folder } from "../../../internal/files/folder.js";
import { conflictingKinds, invalidArchive } from "./archive-errors.js";

/** A folder of the copy, open and writable, with the attributes that it is to have in the end. */
export interface StagedFolder {
  folder: Folder;
  mode: number;
  mtime: Date;
}

/** Opens a folder of the copy, which may be one that not even its owner can open or write to. */
export async function openStaged(parent: Folder, name: string): Promise<StagedFolder> {
  const stats = await parent.lstat(name);
  if (!stats) throw invalidArchive(`has nothing at ${quoted(name)} where it needs a folder`);
  if (!stats.isDirectory()) throw conflictingKinds(name);
  const mode = stats.mode & 0o7777;
  if ((mode & 0o700) !== 0o700) await chmod(parent.at(name), mode | 0o700);
  return { folder: await parent.folder(name), mode, mtime: stats.mtime };
}

/** Closes a folder of the copy and gives it its attributes. */
export async function closeStaged({ folder, mode, mtime }: StagedFolder): Promise<void> {
  await using closing = folder;
  await closing.chmod(mode);
  await closing.utimes(mtime);
}

/** Runs something with a new folder for a copy, and removes it with all that is still in it. */
export async function withStaging<T>(stagingParent: Folder, run: (staging: Folder) => Promise<T>): Promise<T> {
  const name = basename(await mkdtemp(String(stagingParent.at(".copy-"))));
  try {
    await using staging = await stagingParent.folder(name);
    await checkPrivate(staging);
    try {
      return await run(staging);
    } finally {
      // Without handles, what is left is removed by path below.
      await emptyFolder(staging, { enter }).catch(staging.isReplaceable ? () => {} : undefined);
    }
  } finally {
    // A folder that another user has put in its place is not ours to remove.
    if (!stagingParent.isReplaceable) await rmdir(stagingParent.at(name)).catch(() => {});
    else await rm(stagingParent.at(name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Another user who may write to the stagingParent may have put a folder in place of the one just made. */
async function checkPrivate(staging: Folder): Promise<void> {
  const { uid, mode } = await staging.stat();
  const isOurs = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
  let isEmpty = true;
  for await (const _ of staging.names()) {
    isEmpty = false;
    break;
  }
  if (isOurs && isEmpty) return;
  throw new InvalidInputError({
    field: "localPath",
    message: "another user replaced the folder for the copy; choose a path that only you can write to",
    value: toText(await staging.path()),
  });
}

/** Opens a folder of the copy, which may have no permissions. */
async function enter(parent: Folder, name: string): Promise<Folder> {
  return (await openStaged(parent, name)).folder;
}
