/**
 * Installs the packages that build the site.
 *
 * @module
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { website } from "./places.js";
import { run } from "./run.js";

/** Runs `npm ci` in website/ if its packages are missing or older than the lock file. Returns whether it did. */
export async function install(): Promise<boolean> {
  const changed = (path: string) => statSync(join(website, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // npm writes this file at the end of an installation.
  if (changed("node_modules/.package-lock.json") >= changed("package-lock.json")) return false;
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: website });
  return true;
}
