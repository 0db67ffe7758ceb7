import { randomUUID } from "node:crypto";
import { rename, rmdir, unlink } from "node:fs/promises";
import type { Folder } from "./folder.js";

/** The number of files to remove at the same time. Removing a million files one by one would take minutes. */
const concurrency = 8;

/** Options of {@link emptyFolder}. */
export interface EmptyOptions {
  /** Opens a folder in another one. @defaultValue `parent.folder(name)` */
  enter?: ((parent: Folder, name: string) => Promise<Folder>) | undefined;
  /** Ends the removal. Without it the removal continues for as long as another process adds files. */
  signal?: AbortSignal | undefined;
}

/**
 * Removes everything in a folder. Never follows a link, even if another user replaces a folder with a link during the removal.
 * (`rm` of Node.js would follow this link and remove the files of its target.) Moves nested folders up before it removes them, so
 * that no path becomes too long at any depth.
 */
export async function emptyFolder(
  folder: Folder,
  { enter = (parent, name) => parent.folder(name), signal }: EmptyOptions = {},
): Promise<void> {
  // No file in the folder has a name with this prefix.
  const prefix = `.up-${randomUUID()}-`;
  let serial = 0;
  for (let isEmpty = false; !isEmpty; ) {
    isEmpty = true;
    await forEachName(folder, async (name) => {
      signal?.throwIfAborted();
      isEmpty = false;
      if (await unlinkFile(folder, name)) return;
      {
        await using child = await enter(folder, name);
        await forEachName(child, async (nested) => {
          signal?.throwIfAborted();
          if (await unlinkFile(child, nested)) return;
          // A folder without permissions cannot be moved; entering it adds them.
          await (await enter(child, nested))[Symbol.asyncDispose]();
          await rename(child.at(nested), folder.at(`${prefix}${serial++}`));
        });
      }
      await rmdir(folder.at(name));
    });
  }
}

async function forEachName(folder: Folder, task: (name: string) => Promise<void>): Promise<void> {
  const names = folder.names();
  const worker = async () => {
    for (let next = await names.next(); !next.done; next = await names.next()) await task(next.value);
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, worker));
  } finally {
    await names.return();
  }
}

/** Removes a file of any kind but a folder. Returns false for a folder. */
async function unlinkFile(folder: Folder, name: string): Promise<boolean> {
  try {
    await unlink(folder.at(name));
    return true;
  } catch (error) {
    if ((await folder.lstat(name))?.isDirectory()) return false;
    throw error;
  }
}
