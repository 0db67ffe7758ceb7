import { randomUUID } from "node:crypto";
import { rename, rmdir, unlink } from "node:fs/promises";
import type { Folder } from "./folder.js";

/** Removing a million files one by one would take minutes. */
const atOnce = 8;

/** How {@link emptyFolder} proceeds. */
export interface EmptyOptions {
  /** Opens a folder in another one. @defaultValue `parent.folder(name)` */
  enter?: ((parent: Folder, name: string) => Promise<Folder>) | undefined;
  /** Ends the removal, which otherwise goes on for as long as somebody else adds files. */
  signal?: AbortSignal | undefined;
}

/**
 * Removes all that is in a folder, and follows no link on the way, not even one that another user puts in the place of a folder
 * meanwhile: `rm` of Node.js removes what is behind it. Folders in folders move up first: however deep they are, no path becomes too
 * long.
 */
export async function emptyFolder(
  folder: Folder,
  { enter = (parent, name) => parent.folder(name), signal }: EmptyOptions = {},
): Promise<void> {
  // No name that anything in the folder may have.
  const prefix = `.up-${randomUUID()}-`;
  let serial = 0;
  for (let isEmpty = false; !isEmpty; ) {
    isEmpty = true;
    await forEachName(folder, async (name) => {
      signal?.throwIfAborted();
      isEmpty = false;
      if (await unlinked(folder, name)) return;
      {
        await using inner = await enter(folder, name);
        await forEachName(inner, async (inside) => {
          signal?.throwIfAborted();
          if (await unlinked(inner, inside)) return;
          // A folder without permissions cannot be moved.
          await (await enter(inner, inside))[Symbol.asyncDispose]();
          await rename(inner.at(inside), folder.at(`${prefix}${serial++}`));
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
    if ((await folder.lstat(name))?.isDirectory()) return false;
    throw error;
  }
}
