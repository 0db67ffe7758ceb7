import { chmod, chown } from "node:fs/promises";
import { Folder } from "../../internal/files/folder.js";
import { PathHandle } from "../../internal/files/path-handle.js";

/** What the group of a volume may do with files: read those of ConfigMaps and Secrets, read and write the others. */
const readOnly = 0o440;
const readWrite = 0o660;

/** The group may also enter directories, and new files in them get the same group. */
const directoryBits = 0o2110;

/** Gives the directory of an `emptyDir` to a group that may write to it, as a kubelet does for `fsGroup`. */
export async function giveDirectoryToGroup(path: string, gid: number): Promise<void> {
  await using directory = await PathHandle.open(path, { follow: false, directory: true });
  await give(directory, gid, readWrite);
}

/** Gives a volume with files to a group that may read them, as a kubelet does for `fsGroup`. Never follows a link. */
export async function giveFilesToGroup(path: string, gid: number): Promise<void> {
  await using root = await PathHandle.open(path, { follow: false, directory: true });
  await giveTree(root, gid);
}

async function giveTree(file: PathHandle, gid: number): Promise<void> {
  if (file.stats.isDirectory()) {
    const folder = new Folder(file);
    for await (const name of folder.names()) {
      await using entry = await folder.entry(name);
      await giveTree(entry, gid);
    }
  }
  await give(file, gid, readOnly);
}

async function give({ path, stats }: PathHandle, gid: number, bits: number): Promise<void> {
  await chown(path, -1, gid);
  // A symbolic link has no permissions.
  if (stats.isSymbolicLink()) return;
  await chmod(path, (Number(stats.mode) & 0o7777) | bits | (stats.isDirectory() ? directoryBits : 0));
}
