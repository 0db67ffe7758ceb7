/**
 * The local end of copying out of a container: where a copy goes, and how it gets there.
 *
 * @module
 */
import { chmod, lstat, mkdir, readdir, rename, stat, unlink, utimes } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import type { Folders } from "./unpack.js";

/** Where a copy goes. */
export interface Place {
  target: string;
  /** Whether the target is a folder that is added to. */
  exists: boolean;
  /** An existing folder on the target's file system to prepare the copy in: the target itself if it can be. */
  workshop: string;
}

/**
 * Looks at where a copy is to go. A folder goes to a folder or to where nothing is; a file to where no folder is. A link at the
 * target is never followed, for an earlier copy from the same container may have put it there; the user's path up to it is.
 */
export async function placeFor(localPath: string, isFolder: boolean, name: string): Promise<Place> {
  const target = resolve(localPath);
  const refuse = (message: string) => new InvalidInputError({ field: "localPath", message, value: localPath });
  const there = await lookAt(target);
  if (!isFolder && (there?.isDirectory() || /[/\\]$/.test(localPath))) {
    throw refuse(`names a folder, but what is copied is a file; name the file too: ${join(target, name)}`);
  }
  if (isFolder && there?.isSymbolicLink()) throw refuse("is a symbolic link; name the folder that it leads to");
  if (isFolder && there && !there.isDirectory()) throw refuse("is no folder, but what is copied is one");
  if (there?.isDirectory()) return { target, exists: true, workshop: target };
  let workshop = dirname(target);
  while (!(await lookAt(workshop))) workshop = dirname(workshop);
  if (!(await stat(workshop)).isDirectory()) throw refuse(`leads through ${basename(workshop)}, which is no folder`);
  return { target, exists: false, workshop };
}

/** Moves a complete copy to its place. */
export async function moveTo(place: Place, copy: string): Promise<void> {
  if (!place.exists) {
    await mkdir(dirname(place.target), { recursive: true });
    await rename(copy, place.target);
    return;
  }
  // Planned as a whole first, so that what cannot be done is not done by half.
  for (const { from, to, inTheWay } of await merging(copy, place.target)) {
    if (inTheWay) await unlink(to);
    await rename(from, to);
  }
}

/** Gives the folders of a copy their modes and times. One that was there before, and is only added to, keeps its own. */
export async function finishFolders({ target, exists }: Place, folders: Folders): Promise<void> {
  for (const [path, { mode, mtime }] of folders) {
    if (exists && path === ".") continue;
    await chmod(join(target, path), mode);
    if (mtime) await utimes(join(target, path), mtime, mtime);
  }
}

interface Move {
  from: string;
  to: string;
  /** A file or link where a folder goes. */
  inTheWay: boolean;
}

/** How a folder is added to another. Files and links give way, also to folders; folders give way to nothing. */
async function merging(from: string, to: string): Promise<Move[]> {
  const moves: Move[] = [];
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const move = { from: join(from, entry.name), to: join(to, entry.name) };
    const there = await lookAt(move.to);
    if (entry.isDirectory() && there?.isDirectory()) {
      if ((there.mode & 0o700) !== 0o700) await chmod(move.to, there.mode | 0o700);
      moves.push(...(await merging(move.from, move.to)));
    } else if (there?.isDirectory()) {
      throw new InvalidInputError({
        field: "localPath",
        message: "has a folder where the copy has a file or link",
        value: move.to,
      });
    } else {
      moves.push({ ...move, inTheWay: entry.isDirectory() && there !== undefined });
    }
  }
  return moves;
}

async function lookAt(path: string) {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}
