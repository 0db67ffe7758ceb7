/**
 * The folder that a copy is prepared in, on the file system it goes to. It belongs to this process's user, who alone can get into
 * it: other users can replace nothing in there.
 *
 * @module
 */
import { chmod, mkdtemp, rename, rm, rmdir, unlink } from "node:fs/promises";
import { basename } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import { quoted, toText } from "./byte-string.js";
import type { Folder } from "./folder.js";
import { refused, twice } from "./refused.js";

/** A folder of the copy, open and writable, with the attributes that it is to have in the end. */
export interface StagedFolder {
  folder: Folder;
  mode: number;
  mtime: Date;
}

/** Opens a folder of the copy, which may be one that not even its owner can open or write to. */
export async function openStaged(parent: Folder, name: string): Promise<StagedFolder> {
  const stats = await parent.lookAt(name);
  if (!stats) throw refused(`has nothing at ${quoted(name)} where it needs a folder`);
  if (!stats.isDirectory()) throw twice(name);
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
export async function withStaging<T>(workshop: Folder, run: (staging: Folder) => Promise<T>): Promise<T> {
  const name = basename(await mkdtemp(String(workshop.at(".copy-"))));
  try {
    await using staging = await workshop.folder(name);
    await checkPrivate(staging);
    try {
      return await run(staging);
    } finally {
      // Without handles, what is left is removed by path below.
      await empty(staging).catch(staging.isReplaceable ? () => {} : undefined);
    }
  } finally {
    // A folder that another user has put in its place is not ours to remove.
    if (!workshop.isReplaceable) await rmdir(workshop.at(name)).catch(() => {});
    else await rm(workshop.at(name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Another user who may write to the workshop may have put a folder in place of the one just made. */
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

/** Removes all that is in a folder. Folders in folders move up first: however deep they are, no path becomes too long. */
async function empty(staging: Folder): Promise<void> {
  let serial = 0;
  for (let isEmpty = false; !isEmpty; ) {
    isEmpty = true;
    await forEachName(staging, async (name) => {
      isEmpty = false;
      if (await unlinked(staging, name)) return;
      {
        await using folder = (await openStaged(staging, name)).folder;
        await forEachName(folder, async (inside) => {
          if (await unlinked(folder, inside)) return;
          await (await openStaged(folder, inside)).folder[Symbol.asyncDispose]();
          await rename(folder.at(inside), staging.at(`up-${serial++}`));
        });
      }
      await rmdir(staging.at(name));
    });
  }
}

/** Removing a million files one by one would take minutes. */
const atOnce = 8;

async function forEachName(folder: Folder, task: (name: string) => Promise<void>): Promise<void> {
  const names = folder.names();
  const worker = async () => {
    for (let next = await names.next(); !next.done; next = await names.next()) await task(next.value);
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    await names.return();
  }
}

/** Removes what has a name, unless it is a folder. */
async function unlinked(folder: Folder, name: string): Promise<boolean> {
  try {
    await unlink(folder.at(name));
    return true;
  } catch (error) {
    if ((await folder.lookAt(name))?.isDirectory()) return false;
    throw error;
  }
}
