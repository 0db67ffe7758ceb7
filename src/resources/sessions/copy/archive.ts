import { isUtf8 } from "node:buffer";
import { join } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import { toByteString, toText } from "../../../internal/files/byte-string.js";
import { Folder } from "../../../internal/files/folder.js";
import type { PathHandle } from "../../../internal/files/path-handle.js";
import { localPathError } from "./local-path.js";
import { blockSize, encodeHeader, paddingOf, type TarHeader } from "./tar/header.js";

/** The content of an archive. */
export interface ArchiveSource {
  /** A file, folder or link. The caller closes it. */
  root: PathHandle;
  /** The name of the root in the archive. Files in a folder are below this name. */
  name: string;
  /** Whether the archive has an entry for a root folder. Unpacking that entry sets the mode and time of the target folder. */
  includeRoot: boolean;
  /** Returns why a name below the root cannot be used where the archive is unpacked. @defaultValue all names can be used */
  nameFault?: ((name: string) => string | undefined) | undefined;
}

/**
 * Creates a tar archive of a file or folder: files, folders, symbolic links and hard links. Owners and all other kinds of files are
 * left out. A name that is too long for a header precedes it in GNU tar's format, because busybox does not read PAX headers.
 *
 * Links are never followed, even if another user replaces a file or folder with a link during the copy: every file is opened
 * through the handle of its folder. If the consumer of the archive stops early, all files are closed.
 *
 * @throws InvalidInputError with the path that cannot be read, or that changed while it was being read
 */
export async function* archive(source: ArchiveSource): AsyncGenerator<Buffer, void, undefined> {
  // Small parts are joined: an archive of small files would otherwise be sent in very many chunks.
  let parts: Buffer[] = [];
  let length = 0;
  for await (const part of partsOf(source)) {
    parts.push(part);
    length += part.length;
    if (length < maxChunkBytes / 2) continue;
    yield parts.length === 1 ? part : Buffer.concat(parts, length);
    parts = [];
    length = 0;
  }
  yield Buffer.concat(parts, length);
}

async function* partsOf(source: ArchiveSource): AsyncGenerator<Buffer, void, undefined> {
  const firstNames = new Map<string, string>();
  for await (const { handle, name } of filesOf(source.root, toByteString(source.name), source)) {
    const { stats } = handle;
    const mode = Number(stats.mode) & 0o7777;
    const entry = { path: name, linkpath: "", mode, mtimeMs: Number(stats.mtimeMs), size: 0 };
    if (stats.isDirectory()) {
      yield* headersOf({ ...entry, type: "5", path: `${name}/` });
    } else if (stats.isSymbolicLink()) {
      const linkpath = await handle.readLink().catch(unreadable(handle.name));
      yield* headersOf({ ...entry, type: "2", linkpath });
    } else {
      const inode = `${stats.dev}:${stats.ino}`;
      const linkpath = firstNames.get(inode);
      if (linkpath !== undefined) {
        yield* headersOf({ ...entry, type: "1", linkpath });
      } else {
        if (stats.nlink > 1n) firstNames.set(inode, name);
        const size = Number(stats.size);
        yield* headersOf({ ...entry, type: "0", size });
        yield* contentOf(handle, size);
      }
    }
  }
  yield Buffer.alloc(2 * blockSize);
}

const maxChunkBytes = 1024 * 1024;

/** Each level of folders keeps two descriptors open. */
const maxDepth = 256;

interface Found {
  handle: PathHandle;
  /** The name in the archive, as a byte string. */
  name: string;
}

/** Walks a tree. Yields the files that an archive can contain, each folder before the files in it. */
async function* filesOf(
  handle: PathHandle,
  name: string,
  { includeRoot, nameFault }: Pick<ArchiveSource, "includeRoot" | "nameFault">,
  depth = 0,
): AsyncGenerator<Found, void, undefined> {
  const { stats } = handle;
  if (includeRoot && (stats.isFile() || stats.isDirectory() || stats.isSymbolicLink())) yield { handle, name };
  if (!stats.isDirectory()) return;
  if (depth > maxDepth) {
    throw new InvalidInputError({
      field: "localPath",
      message: `has more than ${maxDepth} levels of folders`,
      value: handle.name,
    });
  }
  try {
    const folder = new Folder(handle);
    for await (const child of folder.names()) {
      const path = join(handle.name, toText(child));
      checkName(child, path, nameFault);
      await using entry = await folder.entry(child).catch(unreadable(path));
      yield* filesOf(entry, `${name}/${child}`, { includeRoot: true, nameFault }, depth + 1);
    }
  } catch (error) {
    unreadable(handle.name)(error);
  }
}

/** The maximum length of a name in a header. The field has 100 bytes, of which the last one stays NUL. */
const maxNameBytes = 99;

/** Encodes the header of an entry, preceded by the names that are too long for it. */
function* headersOf(entry: TarHeader): Generator<Buffer, void, undefined> {
  for (const [name, type] of [
    [entry.linkpath, "K"],
    [entry.path, "L"],
  ] as const) {
    if (name.length <= maxNameBytes) continue;
    const content = Buffer.from(`${name}\0`, "latin1");
    yield encodeHeader({ path: "././@LongLink", type, mode: 0, size: content.length, mtimeMs: 0, linkpath: "" });
    yield padded(content);
  }
  yield encodeHeader({
    ...entry,
    path: entry.path.slice(0, maxNameBytes),
    linkpath: entry.linkpath.slice(0, maxNameBytes),
  });
}

/** Reads as many bytes of a file as its header announces. */
async function* contentOf(handle: PathHandle, size: number): AsyncGenerator<Buffer, void, undefined> {
  if (size === 0) return;
  await using file = await handle.openRegular().catch(unreadable(handle.name));
  for (let left = size; left > 0; ) {
    const buffer = Buffer.allocUnsafe(Math.min(left, maxChunkBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length).catch(unreadable(handle.name));
    if (bytesRead === 0) {
      throw new InvalidInputError({
        field: "localPath",
        message: "became shorter while it was read",
        value: handle.name,
      });
    }
    left -= bytesRead;
    const chunk = buffer.subarray(0, bytesRead);
    yield left === 0 ? padded(chunk, size) : chunk;
  }
}

/** Pads the last bytes of a file with zeros to a whole block. */
function padded(bytes: Buffer, size = bytes.length): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(paddingOf(size))]);
}

function checkName(name: string, path: string, nameFault: ArchiveSource["nameFault"]): void {
  const text = Buffer.from(name, "latin1");
  const fault = isUtf8(text) ? nameFault?.(text.toString("utf8")) : "has a name that is not UTF-8";
  if (fault === undefined) return;
  throw new InvalidInputError({ field: "localPath", message: `${fault}; rename it`, value: path });
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw localPathError("cannot be read", path, cause);
  };
}
