/**
 * Measures the size of an installation: packages and everything that npm installs with them.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { inRoot } from "../support/build.js";

/** The entry of a package in a lock file, reduced to the fields needed here. */
export interface LockedPackage {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/** A `package-lock.json`: packages by folder. The key `""` is the project itself. */
export interface Lock {
  packages: Record<string, LockedPackage>;
}

/** Returns the folders of packages and of all their dependencies, except development dependencies, in alphabetical order. */
export function treeOf({ packages }: Lock, names: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (from: string, name: string) => {
    const folder = locate(packages, from, name);
    // Optional dependencies may be missing.
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    for (const needed of needsOf(packages[folder] ?? {})) add(folder, needed);
  };
  for (const name of names) add("", name);
  return [...found].sort();
}

/** Finds the package that Node.js resolves from a folder: in its own node_modules, or in one further up. */
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

/** The number of installed packages and the size of their files. */
export interface Installation {
  packages: number;
  bytes: number;
  /** The size of the named packages alone, without dependencies. */
  ownBytes: number;
}

/** Measures packages in `node_modules`, with their dependencies. */
export async function installationOf(names: readonly string[]): Promise<Installation> {
  const folders = treeOf(await readLock(), names).filter((folder) => existsSync(inRoot(folder)));
  const sizes = new Map<string, number>();
  for (const folder of folders) sizes.set(folder, await bytesIn(inRoot(folder)));
  const own = names.map((name) => sizes.get(`node_modules/${name}`) ?? 0);
  return { packages: folders.length, bytes: sum([...sizes.values()]), ownBytes: sum(own) };
}

/** The dependencies of this package. */
export async function ownDependencies(): Promise<string[]> {
  return Object.keys((await readLock()).packages[""]?.dependencies ?? {});
}

async function readLock(): Promise<Lock> {
  return JSON.parse(await readFile(inRoot("package-lock.json"), "utf8")) as Lock;
}

/** Sums up the files of a folder, without nested `node_modules`. */
async function bytesIn(folder: string): Promise<number> {
  const sizes = (await readdir(folder, { withFileTypes: true })).map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? 0 : await bytesIn(path);
    return entry.isFile() ? (await stat(path)).size : 0;
  });
  return sum(await Promise.all(sizes));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
