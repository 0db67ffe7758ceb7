/**
 * The lab's cache folder, with unpacked packages and the records of running labs.
 *
 * @module
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const projectFolder = fileURLToPath(new URL("../../../", import.meta.url));

/** Returns the lab's cache folder: `CRI_LAB_CACHE` if set, otherwise `.cache/lab` of this checkout. */
export function cacheFolder(): string {
  const chosen = process.env.CRI_LAB_CACHE;
  return chosen ? resolve(chosen) : join(projectFolder, ".cache", "lab");
}

/** Replaces a file in one step: readers see either the old content or all of the new content. */
export async function writeAtomically(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(draft, content);
  await rename(draft, path);
}
