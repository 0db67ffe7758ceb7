import { link, lutimes, open, rename, symlink, unlink } from "node:fs/promises";
import { InvalidInputError } from "../../../errors.js";
import { quoted, toByteString, toText } from "../../../internal/files/byte-string.js";
import type { Folder } from "../../../internal/files/folder.js";
import type { Location } from "../../../internal/files/path-handle.js";
import { conflictingKinds, invalidArchive } from "./archive-errors.js";
import { escapesFolder } from "./escapes-folder.js";
import { StagedTree } from "./staged-tree.js";
import { type ArchiveLimits, type Entry, type EntryKind, entriesOf } from "./tar/entries.js";

/** What a copy out of a container has brought. */
export interface CopyFromResult {
  /** Files, folders and links that were copied. */
  entries: number;
  /** Bytes in the files that were copied. */
  contentBytes: number;
  /** How many devices and named pipes were left out. */
  leftOutCount: number;
  /** The paths of the first 100 of those, below the path that was copied. */
  leftOut: readonly string[];
}

const mostLeftOut = 100;
/** Each folder on the way to an entry is open at the same time. */
const mostFolders = 256;
/** As on Linux. */
const mostNameBytes = 255;

/**
 * Unpacks an archive that a malicious container may have made, as a new folder. Nothing is written outside of that, because each
 * folder on the way to an entry is opened without following links. Memory is bounded, whatever the archive holds.
 *
 * Devices and named pipes are left out, and so are owners and the bits that make a program run as its owner or group. Of two
 * files, or two symbolic links, of the same name the last one stays.
 *
 * @param only the one file that the archive must hold; a folder with anything in it if not given
 * @throws CriError `INVALID_RESPONSE`, or `RESOURCE_EXHAUSTED` beyond a limit
 */
export async function unpack(
  archive: AsyncIterable<Uint8Array>,
  into: Folder,
  name: string,
  limits: ArchiveLimits,
  only?: string,
): Promise<CopyFromResult> {
  const leftOut: string[] = [];
  const result = { entries: 0, contentBytes: 0, leftOutCount: 0, leftOut };
  await using tree = await StagedTree.create(into, name);
  for await (const entry of entriesOf(archive, limits)) {
    const path = namesOf(entry.path, into);
    if (!path || !isAskedFor(entry, path, only)) {
      const asked = only === undefined ? "inside of the folder" : "the file";
      throw invalidArchive(`has an entry that is not ${asked} asked for: ${entry.kind} ${quoted(entry.path)}`);
    }
    checkPath(path, entry);
    if (entry.kind === "special") {
      if (++result.leftOutCount <= mostLeftOut) leftOut.push(toText(path.join("/")));
      continue;
    }
    await write(tree, into, entry, path);
    if (path.length > 0) result.entries++;
    result.contentBytes += entry.size;
  }
  await tree.finish();
  if (only !== undefined && result.entries === 0) {
    throw new InvalidInputError({ field: "containerPath", message: "is neither a file nor a folder", value: only });
  }
  return result;
}

function checkPath(path: readonly string[], { kind, path: whole }: Entry): void {
  const folders = kind === "folder" ? path : path.slice(0, -1);
  if (folders.length > mostFolders) throw invalidArchive(`has more than ${mostFolders} folders within one another`);
  if (path.some((name) => name.length > mostNameBytes)) {
    throw invalidArchive(`has a file name of more than ${mostNameBytes} bytes: ${quoted(whole)}`);
  }
}

/** The names that a path is made of, none for the archive's own folder; nothing if it may lead out of that. */
function namesOf(path: string, into: Folder): string[] | undefined {
  if (escapesFolder(path)) return undefined;
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const refusedName = names.find((name) => !into.accepts(name));
  if (refusedName === undefined) return names;
  throw invalidArchive(`has a file name that is not UTF-8, which this platform does not have: ${quoted(refusedName)}`);
}

function isAskedFor({ kind }: Entry, path: readonly string[], only: string | undefined): boolean {
  if (only === undefined) return path.length > 0 || kind === "folder";
  return path.length === 1 && path[0] === toByteString(only) && (kind === "file" || kind === "special");
}

async function write(tree: StagedTree, into: Folder, entry: Entry, path: readonly string[]): Promise<void> {
  const { kind, linkpath, mtime } = entry;
  const mode = entry.mode & 0o1777;
  if (kind === "folder") {
    Object.assign(await tree.enter(path), { mode, mtime });
    return;
  }
  if (kind === "hardLink") await link(await linkedFile(tree, into, linkpath), into.at(linkName));
  const { folder } = await tree.enter(path.slice(0, -1));
  const name = path.at(-1) ?? "";
  const at = folder.at(name);
  if (kind === "hardLink") {
    if (await folder.lstat(name))
      throw invalidArchive(`has a hard link where it has something else: ${quoted(entry.path)}`);
    await rename(into.at(linkName), at);
  } else if (kind === "symlink") {
    await inPlaceOf(folder, name, kind, () => symlink(Buffer.from(linkpath, "latin1"), at));
    await lutimes(at, mtime, mtime);
  } else {
    await using file = await inPlaceOf(folder, name, kind, () => open(at, "wx", 0o600));
    for await (const part of entry.content) await file.writeFile(part);
    await Promise.all([file.chmod(mode), file.utimes(mtime, mtime)]);
  }
}

/** Where a hard link is made, to be moved into the tree, in which it may be far from its file. */
const linkName = "link";

async function linkedFile(tree: StagedTree, into: Folder, linkpath: string): Promise<Location> {
  const path = namesOf(linkpath, into);
  const { folder } = path ? await tree.enter(path.slice(0, -1), false) : {};
  const name = path?.at(-1) ?? "";
  const stats = name === "" ? undefined : await folder?.lstat(name);
  if (folder && stats && !stats.isDirectory()) return folder.at(name);
  throw invalidArchive(`has a hard link to what is no file before it in the archive: ${quoted(linkpath)}`);
}

/** Makes something new. One of the same kind that is there already, which the archive must have had before, is removed. */
async function inPlaceOf<T>(folder: Folder, name: string, kind: EntryKind, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    const there = await folder.lstat(name);
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !there) throw error;
    if (kind === "file" ? !there.isFile() : !there.isSymbolicLink()) throw conflictingKinds(name);
    await unlink(folder.at(name));
    return await make();
  }
}
