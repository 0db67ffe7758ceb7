/**
 * The destination of a copy out of a container: which folder it is, and how the copy is moved into it.
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

/** Where a copy goes. */
export interface Destination {
  /** An existing folder on the target's file system to prepare the copy in: the target itself if it can be. */
  stagingParent: string;
  /** The names that lead from there to the target; none if the target is a folder to add to. */
  missing: readonly string[];
}

/** What is copied: the file of that name, or a folder. */
export type CopySource = { file: string } | { folder: string };

/**
 * Prepares a copy and moves it to its destination once it is complete, so that other programs never see an incomplete copy.
 *
 * @param receive writes the copy as a folder of the given name
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
 * Finds the destination of a copy. A folder can be copied to an existing folder or a new path, a file to any path that is no folder.
 * A link at the target is never followed, because an earlier copy from the same container may have made it. Links before it are.
 */
export async function findDestination(localPath: string, copied: CopySource): Promise<Destination> {
  const target = resolve(localPath);
  const refuse = (message: string) => new InvalidInputError({ field: "localPath", message, value: localPath });
  const there = await lstatIfExists(target);
  if ("file" in copied && (there?.isDirectory() || /[/\\]$/.test(localPath))) {
    const file = join(target, copied.file);
    throw refuse(`names a folder, but what is copied is a file; name the file too: ${file}`);
  }
  if ("folder" in copied && there?.isSymbolicLink()) {
    throw refuse("is a symbolic link; name the folder that it leads to");
  }
  if ("folder" in copied && there && !there.isDirectory()) throw refuse("is no folder, but what is copied is one");
  if (there?.isDirectory()) return { stagingParent: target, missing: [] };
  let folder = dirname(target);
  while (!(await lstatIfExists(folder))) folder = dirname(folder);
  const stagingParent = await realpath(folder);
  if (!(await stat(stagingParent)).isDirectory()) throw refuse(`leads through ${basename(folder)}, which is no folder`);
  return { stagingParent, missing: relative(folder, target).split(sep) };
}

/** Moves what is prepared to a path below a folder. Folders that lead there are made; a link among them is not followed. */
async function moveBelow(copy: Folder, name: string, folder: Folder, path: readonly string[]): Promise<void> {
  const [first = "", ...rest] = path;
  if (rest.length === 0) return move(copy, name, folder, toByteString(first));
  await folder.make(toByteString(first));
  await using next = await folder.folder(toByteString(first));
  await moveBelow(copy, name, next, rest);
}
