import { toByteString } from "../../../internal/files/byte-string.js";
import type { PathHandle } from "../../../internal/files/path-handle.js";
import { becameShorter, unreadable } from "./local-path.js";
import { filesOf, type WalkOptions } from "./source-tree.js";
import { blockSize, encodeHeader, paddingOf, type TarHeader } from "./tar/header.js";

/** The content of an archive. The entry of a root folder, if included, sets the mode and time of the target folder. */
export interface ArchiveSource extends WalkOptions {
  /** A file, folder or link. The caller closes it. */
  root: PathHandle;
  /** The name of the root in the archive. Files in a folder are below this name. */
  name: string;
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
  for await (const { handle, name, block } of filesOf(source.root, toByteString(source.name), source)) {
    const { stats } = handle;
    const mode = Number(stats.mode) & 0o7777;
    const entry = { path: name, linkpath: "", mode, mtimeMs: Number(stats.mtimeMs), size: 0 };
    if (stats.isDirectory()) {
      yield* headersOf({ ...entry, type: "5", path: `${name}/` });
    } else if (stats.isSymbolicLink()) {
      const linkpath = await handle.readLink().catch(unreadable(handle.name));
      yield* headersOf({ ...entry, type: "2", linkpath });
    } else {
      const inode = stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : "";
      const linkpath = firstNames.get(inode);
      if (linkpath !== undefined) {
        yield* headersOf({ ...entry, type: "1", linkpath });
      } else {
        if (inode !== "") firstNames.set(inode, name);
        const size = Number(stats.size);
        yield* headersOf({ ...entry, type: "0", size }, block);
        if (!block) yield* contentOf(handle, size);
      }
    }
  }
  yield Buffer.alloc(2 * blockSize);
}

const maxChunkBytes = 1024 * 1024;

/** The maximum length of a name in a header. The field has 100 bytes, of which the last one stays NUL. */
const maxNameBytes = 99;

/**
 * Encodes the header of an entry, preceded by the names that are too long for it.
 *
 * @param block the whole entry, into which the header is written. By default the header is a block of its own
 */
function* headersOf(entry: TarHeader, block?: Buffer): Generator<Buffer, void, undefined> {
  for (const [name, type] of [
    [entry.linkpath, "K"],
    [entry.path, "L"],
  ] as const) {
    if (name.length <= maxNameBytes) continue;
    const content = Buffer.from(`${name}\0`, "latin1");
    yield encodeHeader({ path: "././@LongLink", type, mode: 0, size: content.length, mtimeMs: 0, linkpath: "" });
    yield padded(content);
  }
  const path = entry.path.slice(0, maxNameBytes);
  yield encodeHeader({ ...entry, path, linkpath: entry.linkpath.slice(0, maxNameBytes) }, block);
}

/** Reads as many bytes of a file as its header announces. */
async function* contentOf(handle: PathHandle, size: number): AsyncGenerator<Buffer, void, undefined> {
  if (size === 0) return;
  await using file = await handle.openRegular().catch(unreadable(handle.name));
  for (let left = size; left > 0; ) {
    const buffer = Buffer.allocUnsafe(Math.min(left, maxChunkBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length).catch(unreadable(handle.name));
    if (bytesRead === 0) throw becameShorter(handle.name);
    left -= bytesRead;
    const chunk = buffer.subarray(0, bytesRead);
    yield left === 0 ? padded(chunk, size) : chunk;
  }
}

/** Pads the last bytes of a file with zeros to a whole block. */
function padded(bytes: Buffer, size = bytes.length): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(paddingOf(size))]);
}
