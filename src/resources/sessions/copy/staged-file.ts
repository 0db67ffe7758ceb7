import { close, fchmod, futimes, open, writev } from "node:fs";
import { unlink } from "node:fs/promises";
import { promisify } from "node:util";
import type { Folder } from "../../../internal/files/folder.js";
import { conflictingKinds } from "./archive-errors.js";
import type { EntryKind } from "./tar/entries.js";

// File handles of `node:fs/promises` cost twice the CPU time of descriptors, which counts for a folder of many files.
const descriptor = {
  open: promisify(open),
  writev: promisify(writev),
  chmod: promisify(fchmod),
  utimes: promisify(futimes),
  close: promisify(close),
};

/** The content of a large file is written in parts of at least this size, in bytes. */
const minWriteBytes = 256 * 1024;

/** A file of the copy. */
export interface StagedFile {
  content: Iterable<Buffer> | AsyncIterable<Buffer>;
  mode: number;
  mtime: Date;
}

/** Writes a file of the copy. Replaces an earlier file with the same name. Reads the next part while it writes one. */
export async function writeStagedFile(
  folder: Folder,
  name: string,
  { content, mode, mtime }: StagedFile,
): Promise<void> {
  const file = await createOrReplace(folder, name, "file", () => descriptor.open(folder.at(name), "wx", 0o600));
  let writing: Promise<void> = Promise.resolve();
  try {
    let parts: Buffer[] = [];
    let length = 0;
    for await (const part of content) {
      parts.push(part);
      length += part.length;
      if (length < minWriteBytes) continue;
      await writing;
      writing = writeAll(file, parts);
      writing.catch(() => {}); // awaited before the next part
      [parts, length] = [[], 0];
    }
    await writing;
    await writeAll(file, parts);
    await descriptor.chmod(file, mode);
    await descriptor.utimes(file, mtime, mtime);
  } finally {
    await writing.catch(() => {});
    await descriptor.close(file);
  }
}

async function writeAll(file: number, parts: readonly Buffer[]): Promise<void> {
  for (let left = parts.filter(({ length }) => length > 0); left.length > 0; ) {
    let { bytesWritten } = await descriptor.writev(file, left);
    left = left.flatMap((part) => {
      const rest = part.subarray(bytesWritten);
      bytesWritten = Math.max(0, bytesWritten - part.length);
      return rest.length > 0 ? [rest] : [];
    });
  }
}

/** Creates a file or link. Replaces an earlier one of the same kind, which can only be from the same archive. */
export async function createOrReplace<T>(
  folder: Folder,
  name: string,
  kind: EntryKind,
  create: () => Promise<T>,
): Promise<T> {
  try {
    return await create();
  } catch (error) {
    const existing = await folder.lstat(name);
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !existing) throw error;
    if (kind === "file" ? !existing.isFile() : !existing.isSymbolicLink()) throw conflictingKinds(name);
    await unlink(folder.at(name));
    return await create();
  }
}
