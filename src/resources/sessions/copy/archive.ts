import type { Stats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { HeaderData } from "tar";
import { InvalidInputError } from "../../../errors.js";
import { localTrouble } from "./local-trouble.js";

/** What an archive is made of. */
export interface ArchiveSource {
  /** The file or folder. */
  path: string;
  /** Its name in the archive; what is in a folder comes below that. */
  name: string;
  /** Whether a folder has an entry itself, which gives its mode and time to what it is unpacked onto. */
  itself: boolean;
}

/**
 * A tar archive of a file or folder: files, folders, symbolic and hard links; anything else is left out. Names too long for a
 * header go before it as GNU tar does that, for busybox does not read what POSIX has for them. Owners are left out.
 *
 * Files are closed when the reader of the archive stops in the middle.
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
  const { Header } = await import("tar");
  const block = (data: HeaderData) => {
    const header = new Header({ uid: 0, gid: 0, ...data });
    header.encode();
    return header.block as Buffer;
  };
  const firstNames = new Map<string, string>();
  for await (const { path, name, stats } of filesOf(source)) {
    const entry = { path: name, mode: stats.mode & 0o7777, mtime: stats.mtime, size: 0 };
    if (stats.isDirectory()) {
      yield* withLongNames(block, { ...entry, type: "Directory", path: `${name}/` });
    } else if (stats.isSymbolicLink()) {
      const linkpath = await readlink(path).catch(unreadable(path));
      yield* withLongNames(block, { ...entry, type: "SymbolicLink", linkpath });
    } else {
      const inode = `${stats.dev}:${stats.ino}`;
      const linkpath = firstNames.get(inode);
      if (linkpath !== undefined) {
        yield* withLongNames(block, { ...entry, type: "Link", linkpath });
      } else {
        if (stats.nlink > 1) firstNames.set(inode, name);
        yield* withLongNames(block, { ...entry, type: "File", size: stats.size });
        yield* contentOf(path, stats.size);
      }
    }
  }
  yield Buffer.alloc(2 * blockSize);
}

const blockSize = 512;
const mostAtOnce = 1024 * 1024;

interface Found {
  path: string;
  name: string;
  stats: Stats;
}

/** Everything in a tree that an archive can hold, folders before what is in them. */
async function* filesOf({ path, name, itself }: ArchiveSource): AsyncGenerator<Found, void, undefined> {
  const stats = await lstat(path).catch(unreadable(path));
  if (itself && (stats.isFile() || stats.isDirectory() || stats.isSymbolicLink())) yield { path, name, stats };
  if (!stats.isDirectory()) return;
  for (const inside of await readdir(path).catch(unreadable(path))) {
    yield* filesOf({ path: join(path, inside), name: `${name}/${inside}`, itself: true });
  }
}

/** An entry's header, after those of its names that do not fit in. */
function* withLongNames(block: (data: HeaderData) => Buffer, entry: HeaderData): Generator<Buffer, void, undefined> {
  const short = { ...entry };
  for (const [field, type] of [
    ["linkpath", "NextFileHasLongLinkpath"],
    ["path", "NextFileHasLongPath"],
  ] as const) {
    const name = Buffer.from(`${entry[field] ?? ""}\0`);
    if (name.length <= 100) continue;
    yield block({ type, path: "././@LongLink", size: name.length });
    yield padded(name);
    short[field] = entry[field]?.slice(0, 30) ?? "";
  }
  yield block(short);
}

/** As many bytes of a file as its header says. */
async function* contentOf(path: string, size: number): AsyncGenerator<Buffer, void, undefined> {
  if (size === 0) return;
  const file = await open(path).catch(unreadable(path));
  try {
    for (let left = size; left > 0; ) {
      const buffer = Buffer.allocUnsafe(Math.min(left, mostAtOnce));
      const { bytesRead } = await file.read(buffer, 0, buffer.length).catch(unreadable(path));
      if (bytesRead === 0) {
        throw new InvalidInputError({ field: "localPath", message: "became shorter while it was read", value: path });
      }
      left -= bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      yield left === 0 ? padded(chunk, size) : chunk;
    }
  } finally {
    await file.close();
  }
}

/** The last bytes of something, filled up to a whole block. */
function padded(bytes: Buffer, size = bytes.length): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((blockSize - (size % blockSize)) % blockSize)]);
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw localTrouble("cannot be read", path, cause);
  };
}
