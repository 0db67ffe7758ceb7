import { readlink, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { toText } from "../../internal/files/byte-string.js";
import { Folder, lstatIfExists } from "../../internal/files/folder.js";

/** Selects the symbolic links to remove. */
export interface DeadLinks {
  /** The paths of the root of all logs. Only links to files below one of them are removed. */
  readonly roots: readonly string[];
  /** The names of directories below the root whose logs count as removed, even if they still exist. */
  readonly removed: ReadonlySet<string>;
  /** The ids of the containers of the node. While a container exists, its log may be between two rotations. */
  readonly containerIds: ReadonlySet<string>;
}

/**
 * Removes the symbolic links in a folder that lead to logs that do not exist any more. A kubelet names a link after pod, namespace,
 * container and the container's id: `web_default_server-<id>.log`.
 *
 * @param report receives the path of each removed link, or the error
 */
export async function pruneLinks(
  path: string,
  { roots, removed, containerIds }: DeadLinks,
  dryRun: boolean,
  report: (path: string, error?: unknown) => void,
): Promise<void> {
  await using folder = await Folder.open(path);
  for await (const name of folder.names()) {
    const shown = join(path, toText(name));
    try {
      const id = /-([0-9a-f]{64})\.log$/.exec(name)?.[1];
      if (id === undefined || containerIds.has(id)) continue;
      if (!(await folder.lstat(name))?.isSymbolicLink()) continue;
      const target = resolve(path, await readlink(folder.at(name)));
      const root = roots.find((root) => target.startsWith(`${root}/`));
      if (root === undefined) continue;
      const [directory = ""] = target.slice(root.length + 1).split("/");
      if (!removed.has(directory) && (await lstatIfExists(target)) !== undefined) continue;
      if (!dryRun) await unlink(folder.at(name));
      report(shown);
    } catch (error) {
      report(shown, error);
    }
  }
}
