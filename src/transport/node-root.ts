import { lstat, readlink } from "node:fs/promises";
import { posix } from "node:path";

/** How many symbolic links Linux follows in one path. */
const maxLinks = 40;

/** An absolute path of a file system that is mounted at `root`. */
export function under(root: string, path: string): string {
  return posix.join(root, path);
}

/**
 * As {@link under}, and resolves symbolic links as the node does, for which `root` is `/`: below `/host`, a link `/var/run` to `/run`
 * is `/host/run`. The kernel would follow it to `/run` of this process.
 *
 * A link in the last place that leads nowhere on the node stays a link: it may have been made for this process.
 */
export async function resolveUnder(root: string, path: string): Promise<string> {
  if (root === "/") return path;
  let at = "/"; // on the node
  let left = segmentsOf(path);
  let last: string | undefined;
  for (let links = 0; links <= maxLinks; ) {
    const [segment, ...rest] = left;
    if (segment === undefined) return under(root, at);
    const next = posix.join(at, segment);
    const target = await linkTarget(under(root, next));
    if (target === undefined) return under(root, last ?? posix.join(at, ...left)); // does not exist
    if (target === "") {
      at = next;
      left = rest;
      continue;
    }
    if (rest.length === 0) last ??= next;
    if (target.startsWith("/")) at = "/";
    left = [...segmentsOf(target), ...rest];
    links++;
  }
  return under(root, path);
}

/** What a symbolic link holds, `""` for anything else, `undefined` for what does not exist or cannot be looked at. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : "";
  } catch {
    return undefined;
  }
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}
