import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Removes a folder recursively, including folders without write permission for their owner. */
export async function removeTree(path: string): Promise<void> {
  await makeAccessible(path);
  await rm(path, { recursive: true, force: true });
}

async function makeAccessible(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeAccessible(join(path, entry.name));
  }
}
