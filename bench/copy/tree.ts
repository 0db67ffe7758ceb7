/** The files that are copied, and the check that a copy is the same. @module */
import { createCipheriv, createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Bytes that no layer can compress, and the same in each run. */
const stream = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
const randomBytes = (size: number) => stream.update(Buffer.alloc(size));

/** Creates a folder of files of 1 KiB, in folders of 100 files. */
export async function makeSmallFiles(path: string, files: number): Promise<void> {
  for (let index = 0; index < files; index++) {
    const folder = join(path, `folder-${Math.floor(index / 100)}`);
    if (index % 100 === 0) await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `file-${index}`), randomBytes(1_024));
  }
}

export async function makeLargeFile(path: string, mib: number): Promise<void> {
  await using file = await open(path, "wx");
  for (let index = 0; index < mib; index++) await file.writeFile(randomBytes(2 ** 20));
}

/** Returns a hash of all names and contents below a path. */
export function sumOf(path: string): string {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(2 ** 20);
  const add = (at: string, name: string): void => {
    const stats = lstatSync(at);
    hash.update(`${name}\0${stats.isDirectory() ? "folder" : stats.size}\0`);
    if (stats.isDirectory()) {
      for (const child of readdirSync(at).sort()) add(join(at, child), `${name}/${child}`);
      return;
    }
    const file = openSync(at, "r");
    for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, length));
    }
    closeSync(file);
  };
  add(path, "");
  return hash.digest("hex");
}
