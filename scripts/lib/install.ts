/**
 * Installs the packages of a folder that is a package of its own.
 *
 * @module
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.js";

/** Runs `npm ci` in a folder if its packages are missing or older than the lock file. Returns whether it did. */
export async function installIn(folder: string): Promise<boolean> {
  const changed = (path: string) => statSync(join(folder, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // npm writes this file at the end of an installation.
  if (changed("node_modules/.package-lock.json") >= changed("package-lock.json")) return false;
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  return true;
}
