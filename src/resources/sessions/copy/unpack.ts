import { link, lutimes, rename, symlink } from "node:fs/promises";
import { InvalidInputError } from "../../../errors.js";
import { quoted, toByteString, toText } from "../../../internal/files/byte-string.js";
import type { Folder } from "../../../internal/files/folder.js";
import type { Location } from "../../../internal/files/path-handle.js";
import { invalidArchive } from "./archive-errors.js";
import { escapesFolder } from "./escapes-folder.js";
import { createOrReplace, writeStagedFile } from "./staged-file.js";
import { StagedTree } from "./staged-tree.js";
import { type ArchiveLimits, type Entry, entriesOf } from "./tar/entries.js";
import { WritesInFlight } from "./writes-in-flight.js";

/** The result of `copyFrom`. */
export interface CopyFromResult {
  /** The number of files, folders and links that were copied. */
  entries: number;
  /** The number of bytes in the files that were copied. */
  contentBytes: number;
  /** The number of devices and named pipes that were left out. */
  leftOutCount: number;
  /** The paths of the first 100 devices and named pipes that were left out, relative to the path that was copied. */
  leftOut: readonly string[];
}

const maxReportedPaths = 100;
/** All folders on the path of an entry are open at the same time. */
const maxDepth = 256;
/** The limit of Linux. */
const maxNameBytes = 255;
/** The size of the largest file that is written while later entries are read, in bytes. */
const maxSmallBytes = 64 * 1024;

/**
 * Unpacks an archive, which may come from a malicious container, into a new folder. Nothing is written outside this folder, because
 * each folder on the path of an entry is opened without following links. The memory is bounded for every archive.
 *
 * Devices, named pipes, owners, and the setuid and setgid bits are left out. If two files or two symbolic links have the same name,
 * the last one is kept.
 *
 * @param only the name of the only file that the archive may contain. By default it may contain a folder with any content
 * @throws CriError `INVALID_RESPONSE`, or `RESOURCE_EXHAUSTED` if the archive exceeds a limit
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
  // Disposed of before the tree, whose folders the writes need.
  await using writes = new WritesInFlight();
  for await (const entry of entriesOf(archive, limits)) {
    const path = namesOf(entry.path, into);
    if (!path || !isRequested(entry, path, only)) {
      const requested = only === undefined ? "in the requested folder" : "the requested file";
      throw invalidArchive(`has an entry that is not ${requested}: ${entry.kind} ${quoted(entry.path)}`);
    }
    checkPath(path, entry);
    if (entry.kind === "special") {
      if (++result.leftOutCount <= maxReportedPaths) leftOut.push(toText(path.join("/")));
      continue;
    }
    await write(tree, writes, into, entry, path);
    if (path.length > 0) result.entries++;
    result.contentBytes += entry.size;
  }
  await writes.settle();
  await tree.finish();
  if (only !== undefined && result.entries === 0) {
    throw new InvalidInputError({ field: "containerPath", message: "is neither a file nor a folder", value: only });
  }
  return result;
}

function checkPath(path: readonly string[], { kind, path: fullPath }: Entry): void {
  const folders = kind === "folder" ? path : path.slice(0, -1);
  if (folders.length > maxDepth) throw invalidArchive(`has more than ${maxDepth} nested folders`);
  if (path.some((name) => name.length > maxNameBytes)) {
    throw invalidArchive(`has a file name of more than ${maxNameBytes} bytes: ${quoted(fullPath)}`);
  }
}

/**
 * Splits a path into names; the path of the root folder has none. Returns undefined if the path may lead out of the root folder.
 */
function namesOf(path: string, into: Folder): string[] | undefined {
  if (escapesFolder(path)) return undefined;
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const refusedName = names.find((name) => !into.accepts(name));
  if (refusedName === undefined) return names;
  throw invalidArchive(
    `has a file name that is not UTF-8, which this platform does not support: ${quoted(refusedName)}`,
  );
}

function isRequested({ kind }: Entry, path: readonly string[], only: string | undefined): boolean {
  if (only === undefined) return path.length > 0 || kind === "folder";
  return path.length === 1 && path[0] === toByteString(only) && (kind === "file" || kind === "special");
}

async function write(
  tree: StagedTree,
  writes: WritesInFlight,
  into: Folder,
  entry: Entry,
  path: readonly string[],
): Promise<void> {
  const { kind, linkpath, mtime } = entry;
  const mode = entry.mode & 0o1777;
  const parent = path.slice(0, -1);
  const isSmallFile = kind === "file" && entry.size <= maxSmallBytes;
  // Everything else may close the folder, or concern a file that is still being written.
  if (!isSmallFile || !tree.isIn(parent)) await writes.settle();
  if (kind === "folder") {
    Object.assign(await tree.enter(path), { mode, mtime });
    return;
  }
  if (kind === "hardLink") await link(await linkedFile(tree, into, linkpath), into.at(linkName));
  const { folder } = await tree.enter(parent);
  const name = path.at(-1) ?? "";
  if (kind === "hardLink") {
    if (await folder.lstat(name))
      throw invalidArchive(`has a hard link with the name of another entry: ${quoted(entry.path)}`);
    await rename(into.at(linkName), folder.at(name));
  } else if (kind === "symlink") {
    const at = folder.at(name);
    await createOrReplace(folder, name, kind, () => symlink(Buffer.from(linkpath, "latin1"), at));
    await lutimes(at, mtime, mtime);
  } else if (isSmallFile) {
    const content = [await entry.content.whole()];
    await writes.start(name, () => writeStagedFile(folder, name, { content, mode, mtime }));
  } else {
    await writeStagedFile(folder, name, { content: entry.content, mode, mtime });
  }
}

/** The temporary name of a hard link. It is created in the staging folder, and then moved to its folder in the tree. */
const linkName = "link";

async function linkedFile(tree: StagedTree, into: Folder, linkpath: string): Promise<Location> {
  const path = namesOf(linkpath, into);
  const { folder } = path ? await tree.enter(path.slice(0, -1), false) : {};
  const name = path?.at(-1) ?? "";
  const stats = name === "" ? undefined : await folder?.lstat(name);
  if (folder && stats && !stats.isDirectory()) return folder.at(name);
  throw invalidArchive(`has a hard link to a name that is not an earlier file: ${quoted(linkpath)}`);
}
