/**
 * The staging folder of a copy, on the file system of its destination. It belongs to the user of this process, who alone has
 * access, so no other user can replace files in it.
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

/** An open, writable folder of the copy, and the mode and time that it gets when it is closed. */
export interface StagedFolder {
  folder: Folder;
  mode: number;
  mtime: Date;
}

/** Opens a folder of the copy. First gives its owner all permissions, because its mode in the archive may have none. */
export async function openStaged(parent: Folder, name: string): Promise<StagedFolder> {
  const stats = await parent.lstat(name);
  if (!stats) throw invalidArchive(`has nothing at ${quoted(name)} where it needs a folder`);
  if (!stats.isDirectory()) throw conflictingKinds(name);
  const mode = stats.mode & 0o7777;
  if ((mode & 0o700) !== 0o700) await chmod(parent.at(name), mode | 0o700);
  return { folder: await parent.folder(name), mode, mtime: stats.mtime };
}

/** Closes a folder of the copy, and sets its mode and time. */
export async function closeStaged({ folder, mode, mtime }: StagedFolder): Promise<void> {
  await using closing = folder;
  await closing.chmod(mode);
  await closing.utimes(mtime);
}

/** Runs a function with a new staging folder, and removes the folder with everything that is still in it. */
export async function withStaging<T>(parent: Folder, run: (staging: Folder) => Promise<T>): Promise<T> {
  const name = basename(await mkdtemp(String(parent.at(".copy-"))));
  try {
    await using staging = await parent.folder(name);
    await checkPrivate(staging);
    try {
      return await run(staging);
    } finally {
      // Without descriptors, the rest is removed by its path below.
      await emptyFolder(staging, { enter }).catch(staging.isReplaceable ? () => {} : undefined);
    }
  } finally {
    // If another user has replaced the folder with one that is not empty, that folder stays.
    if (!parent.isReplaceable) await rmdir(parent.at(name)).catch(() => {});
    else await rm(parent.at(name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Checks that the staging folder is new: another user with write permission for its parent may have replaced it. */
async function checkPrivate(staging: Folder): Promise<void> {
  const { uid, mode } = await staging.stat();
  const isOwn = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
  let isEmpty = true;
  for await (const _ of staging.names()) {
    isEmpty = false;
    break;
  }
  if (isOwn && isEmpty) return;
  throw new InvalidInputError({
    field: "localPath",
    message: "another user replaced the folder for the copy; choose a path that only you can write to",
    value: toText(await staging.path()),
  });
}

/** Opens a folder of the copy, even if it has no permissions. */
async function enter(parent: Folder, name: string): Promise<Folder> {
  return (await openStaged(parent, name)).folder;
}
