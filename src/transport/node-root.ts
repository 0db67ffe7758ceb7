import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { posix } from "node:path";

/** The number of symbolic links that Linux follows in one path. */
const maxLinks = 40;

/** A directory, link or file on a path. */
export interface PathStep {
  /** The path for this process. */
  path: string;
  /** The metadata. For a symbolic link, the metadata of the link itself. */
  stats: Stats;
  /** The target of a symbolic link. */
  target: string | undefined;
}

/** Converts an absolute path on a file system that is mounted at `root` to the path for this process. */
export function pathUnder(root: string, path: string): string {
  return posix.join(root, path);
}

/**
 * Converts a path like {@link pathUnder}, and resolves symbolic links as on the node, where `root` is `/`. With root `/host`, a
 * link from `/var/run` to `/run` leads to `/host/run`; the kernel would follow the link to `/run` of this process. The result is
 * always inside `root`.
 *
 * @throws an error with code `ELOOP` for a loop of symbolic links, as `node:fs` does
 */
export async function resolveUnder(root: string, path: string): Promise<string> {
  if (root === "/") return path;
  const walk = stepsUnder(root, path);
  for (;;) {
    const step = await walk.next();
    if (step.done) return step.value;
  }
}

/** Yields every existing step of a path on the node, from its root on. Returns the resolved path for this process. */
export async function* stepsUnder(root: string, path: string): AsyncGenerator<PathStep, string, undefined> {
  let current = "/"; // on the node
  let rest = segmentsOf(path);
  const start = await stepAt(pathUnder(root, current));
  if (start) yield start;
  for (let links = 0; links <= maxLinks; ) {
    const [segment, ...following] = rest;
    if (segment === undefined) return pathUnder(root, current);
    const next = posix.join(current, segment);
    const step = await stepAt(pathUnder(root, next));
    // The rest is not normalized, because a later `..` would remove this missing step from the path. The kernel must fail at this
    // step.
    if (step === undefined) return [pathUnder(root, current).replace(/\/$/, ""), ...rest].join("/");
    yield step;
    const { target } = step;
    if (target === undefined) {
      current = next;
      rest = following;
      continue;
    }
    if (target.startsWith("/")) current = "/";
    rest = [...segmentsOf(target), ...following];
    links++;
  }
  throw Object.assign(new Error(`ELOOP: too many symbolic links in ${path}`), { code: "ELOOP" });
}

/** Returns undefined if the file does not exist or this process has no access to it. */
async function stepAt(path: string): Promise<PathStep | undefined> {
  try {
    const stats = await lstat(path);
    return { path, stats, target: stats.isSymbolicLink() ? await readlink(path) : undefined };
  } catch {
    return undefined;
  }
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}
