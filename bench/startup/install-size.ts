/**
 * What an installation weighs: the package, and everything that npm installs with it.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { inRoot } from "../support/build.js";

/** What a lock file says of one package, as far as it matters here. */
export interface LockedPackage {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/** A `package-lock.json`: packages by their folder, `""` for the project itself. */
export interface Lock {
  packages: Record<string, LockedPackage>;
}

/** The folders of some packages of the project and of all that they need, in alphabetical order. What is only for development is no need. */
export function treeOf({ packages }: Lock, names: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (from: string, name: string) => {
    const folder = locate(packages, from, name);
    // A dependency that is optional is not always there.
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    for (const needed of needsOf(packages[folder] ?? {})) add(folder, needed);
  };
  for (const name of names) add("", name);
  return [...found].sort();
}

/** Where Node.js finds a package that a package in a folder asks for: next to it, or further up. */
function locate(packages: Lock["packages"], from: string, name: string): string | undefined {
  for (let above = from; ; above = above.slice(0, Math.max(0, above.lastIndexOf("/node_modules/")))) {
    const folder = above === "" ? `node_modules/${name}` : `${above}/node_modules/${name}`;
    if (packages[folder]) return folder;
    if (above === "") return undefined;
  }
}

function needsOf({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }: LockedPackage) {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional);
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
}

/** The packages that users get with this one, and the bytes in their files. */
export interface Installation {
  packages: number;
  bytes: number;
  /** Of those that were asked for by name alone. */
  ownBytes: number;
}

/** Measures what is in `node_modules`. */
export async function installationOf(names: readonly string[]): Promise<Installation> {
  const folders = treeOf(await readLock(), names).filter((folder) => existsSync(inRoot(folder)));
  const sizes = new Map<string, number>();
  for (const folder of folders) sizes.set(folder, await bytesIn(inRoot(folder)));
  const own = names.map((name) => sizes.get(`node_modules/${name}`) ?? 0);
  return { packages: folders.length, bytes: sum([...sizes.values()]), ownBytes: sum(own) };
}

/** What this package depends on. */
export async function ownDependencies(): Promise<string[]> {
  return Object.keys((await readLock()).packages[""]?.dependencies ?? {});
}

async function readLock(): Promise<Lock> {
  return JSON.parse(await readFile(inRoot("package-lock.json"), "utf8")) as Lock;
}

/** Without the packages that are installed inside of the package. */
async function bytesIn(folder: string): Promise<number> {
  const sizes = (await readdir(folder, { withFileTypes: true })).map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? 0 : await bytesIn(path);
    return entry.isFile() ? (await stat(path)).size : 0;
  });
  return sum(await Promise.all(sizes));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
