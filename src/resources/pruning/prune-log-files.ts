import type { Stats } from "node:fs";
import { unlink } from "node:fs/promises";
import { toText } from "../../internal/files/byte-string.js";
import type { Folder } from "../../internal/files/folder.js";

/** Selects the files to remove from the log directory of a pod. */
export interface ObsoleteLogs {
  hasContainer(name: string, attempt: number): boolean;
  /** Returns the paths of the logs of all containers, relative to the directory. */
  logPaths(): Promise<ReadonlySet<string>>;
  isYoung(stats: Stats): boolean;
  /** Receives the path of a file, relative to the directory, and the function that removes it. */
  remove(path: string, remove: () => Promise<void>): Promise<void>;
}

/** A file that looks like a log of a container that does not exist. */
interface Candidate {
  /** The folder within the directory; undefined for the directory itself. */
  readonly folder: string | undefined;
  readonly file: string;
  /** The path of the log that the file belongs to: rotation adds a suffix to it. */
  readonly log: string;
}

/**
 * Removes the logs of containers that do not exist any more from the log directory of a pod, with their rotated files. Knows the
 * names that a kubelet (`<container>/<attempt>.log`) and this package (`<container>.<attempt>.log`) give to logs.
 */
export async function pruneLogFiles(directory: Folder, logs: ObsoleteLogs): Promise<void> {
  const candidates = await findCandidates(directory, logs);
  if (candidates.length === 0) return;
  const paths = await logs.logPaths();
  for (const { folder: name, file, log } of candidates) {
    if (paths.has(log)) continue;
    await using nested = name === undefined ? undefined : await directory.folder(name);
    const folder = nested ?? directory;
    const stats = await folder.lstat(file);
    if (stats === undefined || stats.isDirectory() || logs.isYoung(stats)) continue;
    const path = name === undefined ? toText(file) : `${toText(name)}/${toText(file)}`;
    await logs.remove(path, () => unlink(folder.at(file)));
  }
}

async function findCandidates(directory: Folder, { hasContainer }: ObsoleteLogs): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for await (const entry of directory.names()) {
    if ((await directory.lstat(entry))?.isDirectory()) {
      await using folder = await directory.folder(entry);
      for await (const file of folder.names()) {
        const [, base = "", attempt] = /^((\d+)\.log)(\..+)?$/.exec(file) ?? [];
        if (attempt === undefined || hasContainer(entry, Number(attempt))) continue;
        found.push({ folder: entry, file, log: `${toText(entry)}/${base}` });
      }
    } else {
      const [, base = "", name = "", attempt] = /^((.+)\.(\d+)\.log)(\..+)?$/.exec(entry) ?? [];
      if (attempt === undefined || hasContainer(name, Number(attempt))) continue;
      found.push({ folder: undefined, file: entry, log: toText(base) });
    }
  }
  return found;
}
