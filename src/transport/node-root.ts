import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { posix } from "node:path";

/** How many symbolic links Linux follows in one path. */
const maxLinks = 40;

/** A directory, link or file on the way of a path. */
export interface Step {
  /** Where it is for this process. */
  path: string;
  /** Of a link, its own. */
  stats: Stats;
  /** What a symbolic link holds. */
  target: string | undefined;
}

/** An absolute path of a file system that is mounted at `root`. */
export function under(root: string, path: string): string {
  return posix.join(root, path);
}

/**
 * As {@link under}, and resolves symbolic links as the node does, for which `root` is `/`: below `/host`, a link `/var/run` to `/run`
 * is `/host/run`. The kernel would follow it to `/run` of this process. Never leads out of `root`, wherever links lead.
 *
 * @throws an error with code `ELOOP` for links that lead in a circle, as `node:fs` does
 */
export async function resolveUnder(root: string, path: string): Promise<string> {
  if (root === "/") return path;
  const walk = stepsUnder(root, path);
  for (;;) {
    const step = await walk.next();
    if (step.done) return step.value;
  }
}

/** Everything on the way of a path of the node, from its root on, as far as it exists. Returns where the path leads. */
export async function* stepsUnder(root: string, path: string): AsyncGenerator<Step, string, undefined> {
  let at = "/"; // on the node
  let left = segmentsOf(path);
  const start = await lookAt(under(root, at));
  if (start) yield start;
  for (let links = 0; links <= maxLinks; ) {
    const [segment, ...rest] = left;
    if (segment === undefined) return under(root, at);
    const next = posix.join(at, segment);
    const step = await lookAt(under(root, next));
    // The rest stays as it is: the kernel fails at the same place, where `..` would lead on to something else.
    if (step === undefined) return [under(root, at).replace(/\/$/, ""), ...left].join("/");
    yield step;
    const { target } = step;
    if (target === undefined) {
      at = next;
      left = rest;
      continue;
    }
    if (target.startsWith("/")) at = "/";
    left = [...segmentsOf(target), ...rest];
    links++;
  }
  throw Object.assign(new Error(`ELOOP: too many symbolic links in ${path}`), { code: "ELOOP" });
}

/** Undefined for what does not exist or cannot be looked at. */
async function lookAt(path: string): Promise<Step | undefined> {
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
