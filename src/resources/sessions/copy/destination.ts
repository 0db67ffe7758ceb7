/**
 * The local destination of `copyFrom`: finds the folder, and moves a complete copy into it.
 *
 * @module
 */
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import { toByteString } from "../../../internal/files/byte-string.js";
import { Folder, lstatIfExists } from "../../../internal/files/folder.js";
import { merge, move } from "./merge.js";
import { checkSafeForRoot } from "./safe-for-root.js";
import { openStaged, withStaging } from "./staging.js";

/** The destination of a copy. */
export interface Destination {
  /** An existing folder on the target's file system, for the staging folder. It is the target itself if that is a folder. */
  stagingParent: string;
  /** The names on the path from there to the target. Empty if the copy is merged into the target. */
  missing: readonly string[];
}

/** The name of the file or folder that is copied. */
export type CopySource = { file: string } | { folder: string };

/**
 * Stages a copy, and moves it to its destination when it is complete, so that other programs never see an incomplete copy.
 *
 * @param receive writes the copy as a folder with the given name
 */
export async function stageCopy<T>(
  localPath: string,
  copied: CopySource,
  receive: (staging: Folder, name: string) => Promise<T>,
): Promise<T> {
  const { stagingParent, missing } = await findDestination(localPath, copied);
  await using folder = await Folder.open(stagingParent);
  await checkSafeForRoot(folder);
  return await withStaging(folder, async (staging) => {
    const received = await receive(staging, copyName);
    if ("folder" in copied && missing.length === 0) {
      await using copy = (await openStaged(staging, copyName)).folder;
      await merge(copy, folder);
    } else if ("folder" in copied) {
      await moveBelow(staging, copyName, folder, missing);
    } else {
      await using copy = await staging.folder(copyName);
      await moveBelow(copy, toByteString(copied.file), folder, missing);
    }
    return received;
  });
}

const copyName = "copy";

/**
 * Finds the destination of a copy. A folder can be copied to an existing folder or a new path. A file can be copied to any path
 * that is not a folder. A link at the target is never followed, because an earlier copy from the same container may have created
 * it. Links within the path are followed.
 *
 * @throws InvalidInputError
 */
export async function findDestination(localPath: string, copied: CopySource): Promise<Destination> {
  const target = resolve(localPath);
  const refuse = (message: string) => new InvalidInputError({ field: "localPath", message, value: localPath });
  const existing = await lstatIfExists(target);
  if ("file" in copied && (existing?.isDirectory() || /[/\\]$/.test(localPath))) {
    const file = join(target, copied.file);
    throw refuse(`is a folder, but a file is copied; add the name of the file: ${file}`);
  }
  if ("folder" in copied && existing?.isSymbolicLink()) {
    throw refuse("is a symbolic link; pass the path of the folder that it leads to");
  }
  if ("folder" in copied && existing && !existing.isDirectory())
    throw refuse("is not a folder, but a folder is copied");
  if (existing?.isDirectory()) return { stagingParent: target, missing: [] };
  let folder = dirname(target);
  while (!(await lstatIfExists(folder))) folder = dirname(folder);
  const stagingParent = await realpath(folder);
  if (!(await stat(stagingParent)).isDirectory())
    throw refuse(`leads through ${basename(folder)}, which is not a folder`);
  return { stagingParent, missing: relative(folder, target).split(sep) };
}

/**
 * Returns the path of an entry below a local path that is an existing folder or ends with a slash; otherwise the path itself. A link
 * to a folder counts only with a slash, because an earlier copy may have created it.
 */
export async function pathForName(localPath: string, name: string): Promise<string> {
  const isFolder = /[/\\]$/.test(localPath) || (await lstatIfExists(resolve(localPath)))?.isDirectory() === true;
  return isFolder ? join(localPath, name) : localPath;
}

/** Moves the copy to a path below a folder. Creates the missing folders of the path, and follows no link in it. */
async function moveBelow(copy: Folder, name: string, folder: Folder, path: readonly string[]): Promise<void> {
  const [first = "", ...rest] = path;
  if (rest.length === 0) return move(copy, name, folder, toByteString(first));
  await folder.make(toByteString(first));
  await using next = await folder.folder(toByteString(first));
  await moveBelow(copy, name, next, rest);
}
