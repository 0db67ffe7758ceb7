import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Removes a folder recursively, including folders without write permission for their owner. */
export async function removeTree(path: string): Promise<void> {
  await open(path);
  await rm(path, { recursive: true, force: true });
}

async function open(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await open(join(path, entry.name));
  }
}
