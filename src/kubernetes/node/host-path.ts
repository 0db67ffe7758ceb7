import type { Stats } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import type { HostPathTypeName } from "../manifest/volume.js";
import { refuseDisk } from "./disk-error.js";

interface PathType {
  /** The kind of file for the error message. */
  noun: string;
  matches(stats: Stats): boolean;
  /** Creates the file if it is missing. */
  make?(path: string): Promise<void>;
}

const types: Readonly<Record<Exclude<HostPathTypeName, "">, PathType>> = {
  Directory: { noun: "a directory", matches: (stats) => stats.isDirectory() },
  DirectoryOrCreate: {
    noun: "a directory",
    matches: (stats) => stats.isDirectory(),
    make: async (path) => {
      await mkdir(path, { recursive: true, mode: 0o755 });
    },
  },
  File: { noun: "a file", matches: (stats) => stats.isFile() },
  FileOrCreate: {
    noun: "a file",
    matches: (stats) => stats.isFile(),
    // Does not create the directory of the file.
    make: async (path) => (await open(path, "a", 0o644)).close(),
  },
  Socket: { noun: "a socket", matches: (stats) => stats.isSocket() },
  CharDevice: { noun: "a character device", matches: (stats) => stats.isCharacterDevice() },
  BlockDevice: { noun: "a block device", matches: (stats) => stats.isBlockDevice() },
};

/**
 * Checks the type of a `hostPath`, and creates it for the types with `OrCreate`. What it creates belongs to the node and stays after
 * the pod. The type `""` has no check.
 *
 * @throws CriError `FAILED_PRECONDITION` if the path has another type
 */
export async function prepareHostPath(path: string, type: string): Promise<void> {
  if (type === "") return;
  const { noun, matches, make } = types[type as Exclude<HostPathTypeName, "">];
  const existing = await statIfExists(path);
  if (!existing && make) return make(path);
  if (!existing) refuseDisk(`${path} does not exist; type ${type} requires ${noun}`);
  if (!matches(existing)) refuseDisk(`${path} is not ${noun}, which type ${type} requires`);
}

async function statIfExists(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
