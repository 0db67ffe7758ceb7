import { join } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import type { PathHandle } from "../../../internal/path-handle.js";
import { toByteString } from "./byte-string.js";
import { localTrouble } from "./local-trouble.js";
import { blockSize, encodeHeader, type TarHeader } from "./tar/header.js";

/** What an archive is made of. */
export interface ArchiveSource {
  /** The file or folder, or link, which the caller closes. */
  root: PathHandle;
  /** Its name in the archive; what is in a folder comes below that. */
  name: string;
  /** Whether a folder has an entry itself, which gives its mode and time to what it is unpacked onto. */
  itself: boolean;
}

/**
 * A tar archive of a file or folder: files, folders, symbolic and hard links; anything else is left out. Names too long for a
 * header go before it as GNU tar does that, for busybox does not read what POSIX has for them. Owners are left out.
 *
 * No link is followed, not even one that another user puts in the place of a file or folder meanwhile: everything is held by a
 * handle, and found through that of its folder. Files are closed when the reader of the archive stops in the middle.
 *
 * @throws InvalidInputError naming the path that cannot be read, or that changed while it was read
 */
export async function* archive(source: ArchiveSource): AsyncGenerator<Buffer, void, undefined> {
  let small: Buffer[] = [];
  let length = 0;
  for await (const part of partsOf(source)) {
    small.push(part);
    length += part.length;
    if (length < mostAtOnce / 2) continue;
    yield small.length === 1 ? part : Buffer.concat(small, length);
    small = [];
    length = 0;
  }
  yield Buffer.concat(small, length);
}

async function* partsOf(source: ArchiveSource): AsyncGenerator<Buffer, void, undefined> {
  const firstNames = new Map<string, string>();
  for await (const { handle, name } of filesOf(source.root, source.name, source.itself)) {
    const { stats } = handle;
    const path = toByteString(name);
    const mode = Number(stats.mode) & 0o7777;
    const entry = { path, linkpath: "", mode, mtimeMs: Number(stats.mtimeMs), size: 0 };
    if (stats.isDirectory()) {
      yield* headersOf({ ...entry, type: "5", path: `${path}/` });
    } else if (stats.isSymbolicLink()) {
      const linkpath = toByteString(await handle.readLink().catch(unreadable(handle.name)));
      yield* headersOf({ ...entry, type: "2", linkpath });
    } else {
      const inode = `${stats.dev}:${stats.ino}`;
      const linkpath = firstNames.get(inode);
      if (linkpath !== undefined) {
        yield* headersOf({ ...entry, type: "1", linkpath });
      } else {
        if (stats.nlink > 1n) firstNames.set(inode, path);
        const size = Number(stats.size);
        yield* headersOf({ ...entry, type: "0", size });
        yield* contentOf(handle, size);
      }
    }
  }
  yield Buffer.alloc(2 * blockSize);
}

const mostAtOnce = 1024 * 1024;

/** Each level of folders holds two files open. */
const maxDepth = 256;

interface Found {
  handle: PathHandle;
  name: string;
}

/** Everything in a tree that an archive can hold, folders before what is in them. */
async function* filesOf(
  handle: PathHandle,
  name: string,
  itself: boolean,
  depth = 0,
): AsyncGenerator<Found, void, undefined> {
  const { stats } = handle;
  if (itself && (stats.isFile() || stats.isDirectory() || stats.isSymbolicLink())) yield { handle, name };
  if (!stats.isDirectory()) return;
  if (depth > maxDepth) {
    throw new InvalidInputError({
      field: "localPath",
      message: `has more than ${maxDepth} levels of folders`,
      value: handle.name,
    });
  }
  try {
    for await (const inside of handle.list()) {
      await using entry = await handle.entry(inside).catch(notFound(join(handle.name, inside)));
      yield* filesOf(entry, `${name}/${inside}`, true, depth + 1);
    }
  } catch (error) {
    unreadable(handle.name)(error);
  }
}

/** The most bytes of a name in a header. The NUL that may be left out in a field of 100 bytes stays. */
const mostNameBytes = 99;

/** The header of an entry, after those of its names that do not fit in. */
function* headersOf(entry: TarHeader): Generator<Buffer, void, undefined> {
  for (const [name, type] of [
    [entry.linkpath, "K"],
    [entry.path, "L"],
  ] as const) {
    if (name.length <= mostNameBytes) continue;
    const content = Buffer.from(`${name}\0`, "latin1");
    yield encodeHeader({ path: "././@LongLink", type, mode: 0, size: content.length, mtimeMs: 0, linkpath: "" });
    yield padded(content);
  }
  yield encodeHeader({
    ...entry,
    path: entry.path.slice(0, mostNameBytes),
    linkpath: entry.linkpath.slice(0, mostNameBytes),
  });
}

/** As many bytes of a file as its header says. */
async function* contentOf(handle: PathHandle, size: number): AsyncGenerator<Buffer, void, undefined> {
  if (size === 0) return;
  await using file = await handle.openRegular().catch(unreadable(handle.name));
  for (let left = size; left > 0; ) {
    const buffer = Buffer.allocUnsafe(Math.min(left, mostAtOnce));
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

/** The last bytes of something, filled up to a whole block. */
function padded(bytes: Buffer, size = bytes.length): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((blockSize - (size % blockSize)) % blockSize)]);
}

/** As {@link unreadable}, for a name that was listed. Bytes that are not UTF-8 are U+FFFD in the list, which is no file's name. */
function notFound(path: string): (cause: unknown) => never {
  return (cause) => {
    if (!path.includes("\uFFFD")) unreadable(path)(cause);
    throw new InvalidInputError({
      field: "localPath",
      message: "has a name that is not UTF-8; rename it",
      value: path,
    });
  };
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw localTrouble("cannot be read", path, cause);
  };
}
