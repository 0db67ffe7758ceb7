import { rmdir } from "node:fs/promises";
import { emptyFolder } from "../../internal/files/empty-folder.js";
import { Folder, lstatIfExists } from "../../internal/files/folder.js";
import { diskStep, refuseDisk } from "./disk-error.js";
import { unmountWithin } from "./mounting.js";

/** Options of {@link removeDirectory}. */
export interface RemoveDirectoryOptions {
  signal?: AbortSignal | undefined;
}

/**
 * Removes a directory of a pod with everything in it: unmounts the file systems in it, then removes the files. Never follows a link
 * and never enters a mounted file system, so that files of the node stay, even if a container mounted them into a volume.
 *
 * A directory that does not exist counts as removed. After a failure or a crash, the next call removes the rest.
 *
 * @throws CriError, or the reason of the signal
 */
export function removeDirectory(path: string, { signal }: RemoveDirectoryOptions = {}): Promise<void> {
  return diskStep(`cannot remove ${path}`, async () => {
    const canonical = await canonicalPath(path);
    if (canonical === undefined) return;
    await unmountWithin(canonical);
    {
      await using folder = await Folder.open(path);
      await emptyFolder(folder, { enter: await withinMountOf(folder), signal });
    }
    await rmdir(path);
  });
}

/** Returns the path without links, as a byte string; `undefined` if there is no such directory. Refuses a link. */
async function canonicalPath(path: string): Promise<string | undefined> {
  if ((await lstatIfExists(path)) === undefined) return undefined;
  await using folder = await Folder.open(path);
  return await folder.path();
}

/** Returns a function that opens a folder in another one, unless a file system is mounted there. */
async function withinMountOf(folder: Folder): Promise<(parent: Folder, name: string) => Promise<Folder>> {
  const mountId = await folder.mountId();
  return async (parent, name) => {
    const child = await parent.folder(name);
    try {
      if ((await child.mountId()) === mountId) return child;
      refuseDisk("a file system was mounted in it meanwhile; remove it again");
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  };
}
