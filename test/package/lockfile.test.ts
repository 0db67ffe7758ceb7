/**
 * Checks the lock files. `npm ci` rejects a lock file without the optional packages of a platform, which npm leaves out if it cannot
 * download them.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";

interface Locked {
  version?: string;
  resolved?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const read = async (name: string) => JSON.parse(await readFile(new URL(`../../${name}`, import.meta.url), "utf8"));
/** Finds a package from another package's folder, like Node.js. */
function findFrom(packages: Record<string, Locked>, path: string, name: string): Locked | undefined {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const found = packages[folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`];
    if (found || folder === "") return found;
  }
}

describe.each(["", "website/", "examples/node-agent/"])("in ./%s", async (folder) => {
  const manifest: Locked = await read(`${folder}package.json`);
  const packages: Record<string, Locked> = (await read(`${folder}package-lock.json`)).packages;

  test("the lock file matches package.json", () => {
    const pick = ({ version, dependencies, devDependencies }: Locked = {}) => [version, dependencies, devDependencies];
    expect(pick(packages[""])).toEqual(pick(manifest));
  });

  test("the lock file has every dependency of every package", () => {
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !findFrom(packages, path, name))
        .map((name) => `${path} needs ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test("the lock file names no registry", () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });
});
