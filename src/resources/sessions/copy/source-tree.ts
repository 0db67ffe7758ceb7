import { isUtf8 } from "node:buffer";
import { join } from "node:path";
import { InvalidInputError } from "../../../errors.js";
import { toText } from "../../../internal/files/byte-string.js";
import { Folder } from "../../../internal/files/folder.js";
import type { PathHandle } from "../../../internal/files/path-handle.js";
import { becameShorter, unreadable } from "./local-path.js";
import { blockSize, paddingOf } from "./tar/header.js";

/** A file, folder or link that an archive can contain. */
export interface SourceFile {
  /** Closed if there is a `block`. */
  handle: PathHandle;
  /** The name in the archive, as a byte string. */
  name: string;
  /** The entry of a small file in the archive: room for the header, the content and the padding. */
  block?: Buffer | undefined;
}

/** Which files of a tree are found. */
export interface WalkOptions {
  /** Whether the root itself is found, if it is a folder. */
  includeRoot: boolean;
  /** Returns why a name below the root cannot be used where the archive is unpacked. @defaultValue all names can be used */
  nameFault?: ((name: string) => string | undefined) | undefined;
}

/** Each level of folders keeps two descriptors open. */
const maxDepth = 256;

/** The number of files that are opened and read at the same time. One by one, most of the time is spent waiting for the disk. */
const concurrency = 32;

/** The size of the largest file that is read before its turn, in bytes. */
const maxSmallBytes = 64n * 1024n;

/**
 * Walks a tree. Yields the files that an archive can contain, each folder before the files in it. Opens and reads small files
 * before their turn.
 *
 * @param name the name of the root in the archive, as a byte string
 * @throws InvalidInputError with the path that cannot be read
 */
export async function* filesOf(
  handle: PathHandle,
  name: string,
  { includeRoot, nameFault }: WalkOptions,
  depth = 0,
): AsyncGenerator<SourceFile, void, undefined> {
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
  const ahead: Promise<SourceFile>[] = [];
  async function* inTurn(maxAhead: number) {
    while (ahead.length > maxAhead) {
      const file = await (ahead.shift() as Promise<SourceFile>);
      if (file.block) yield file;
      else yield* openFiles(file);
    }
  }
  async function* openFiles(file: SourceFile) {
    await using entry = file.handle;
    yield* filesOf(entry, file.name, { includeRoot: true, nameFault }, depth + 1);
  }
  try {
    const folder = new Folder(handle);
    for await (const entry of folder.entries()) {
      const path = join(handle.name, toText(entry.name));
      checkName(entry.name, path, nameFault);
      const child = `${name}/${entry.name}`;
      if (entry.isFile()) {
        const opening = openFile(folder, entry.name, path, child);
        opening.catch(() => {}); // thrown in its turn
        ahead.push(opening);
        yield* inTurn(concurrency - 1);
      } else {
        // An open folder keeps descriptors, so it is never opened ahead.
        yield* inTurn(0);
        yield* openFiles({ handle: await folder.entry(entry.name).catch(unreadable(path)), name: child });
      }
    }
    yield* inTurn(0);
  } catch (error) {
    unreadable(handle.name)(error);
  } finally {
    for (const opening of ahead) await (await opening.catch(() => undefined))?.handle.close();
  }
}

/** Opens a file, and reads it if it is small. */
async function openFile(folder: Folder, child: string, path: string, name: string): Promise<SourceFile> {
  const handle = await folder.entry(child).catch(unreadable(path));
  const { stats } = handle;
  if (!stats.isFile() || stats.size > maxSmallBytes) return { handle, name };
  await using _ = handle;
  const size = Number(stats.size);
  const block = Buffer.allocUnsafe(blockSize + size + paddingOf(size)).fill(0, blockSize + size);
  if (size > 0) {
    const bytesRead = await handle.read(block.subarray(blockSize, blockSize + size)).catch(unreadable(path));
    if (bytesRead < size) throw becameShorter(path);
  }
  return { handle, name, block };
}

function checkName(name: string, path: string, nameFault: WalkOptions["nameFault"]): void {
  const text = Buffer.from(name, "latin1");
  const fault = isUtf8(text) ? nameFault?.(text.toString("utf8")) : "has a name that is not UTF-8";
  if (fault === undefined) return;
  throw new InvalidInputError({ field: "localPath", message: `${fault}; rename it`, value: path });
}
