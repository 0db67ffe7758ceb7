import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { readRegular } from "../internal/files/open-regular.js";
import { resolveUnder } from "./node-root.js";

/** The beginning of every explanation by {@link explainDenied}. */
export const permissionDenied = "permission denied";

/** The largest `/etc/passwd` or `/etc/group` that is searched for a name, in bytes. */
const maxNamesBytes = 1024 * 1024;

/** The permission that a process needs: `write` to connect to a socket, `search` to pass through a directory. */
type Need = "write" | "search";

/**
 * Explains why this process may not use a path, and who may: `permission denied: /run/containerd belongs to user root …`.
 *
 * @param path a socket for which `connect` or `stat` failed with EACCES or EPERM
 * @param root where the file system with `/etc/passwd` and `/etc/group` is mounted
 */
export async function explainDenied(path: string, root = "/"): Promise<string> {
  const found = await firstVisible(path);
  if (found === undefined) return permissionDenied;
  const need: Need = found.path === path ? "write" : "search";
  const { uid, gid, mode } = found.stats;
  const user = await nameOf(uid, root, "user");
  const group = await nameOf(gid, root, "group");
  const problem = `${permissionDenied}: ${found.path} belongs to ${user} and ${group}, mode ${octal(mode)}`;
  if (allowed(found.stats, need)) return `${problem}, which allows it; check the rules of SELinux or AppArmor`;
  return `${problem}; ${remedy(found.stats, need, user, group)}`;
}

/** Finds the path itself, or the deepest directory above it that `stat` can read. That directory denies access. */
async function firstVisible(path: string): Promise<{ path: string; stats: Stats } | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const stats = await stat(at).catch(() => undefined);
    if (stats !== undefined) return { path: at, stats };
    if (at === dirname(at)) return undefined;
  }
}

function permissionBits(need: Need): { owner: number; group: number; others: number } {
  return need === "write"
    ? { owner: 0o200, group: 0o020, others: 0o002 }
    : { owner: 0o100, group: 0o010, others: 0o001 };
}

function allowed({ uid, gid, mode }: Stats, need: Need): boolean {
  const { owner, group, others } = permissionBits(need);
  const me = process.geteuid?.();
  if (me === 0) return true;
  if (me === uid) return (mode & owner) !== 0;
  const mine = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  return (mode & (mine.includes(gid) ? group : others)) !== 0;
}

function remedy({ uid, gid, mode }: Stats, need: Need, user: string, group: string): string {
  const ways = ["run as root"];
  if (uid !== 0 && (mode & permissionBits(need).owner) !== 0) ways.push(`as ${user}`);
  // Members of group 0, root's own group, are not suggested: they can do nearly all that root can.
  if (gid !== 0 && (mode & permissionBits(need).group) !== 0) ways.push(`as a member of ${group}`);
  return ways.join(", or ");
}

/** Formats the permissions of a file for `chmod`: `0644`. */
export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/**
 * Returns `user root` or `group 998`: with the name if `/etc/passwd` or `/etc/group` contains it, otherwise with the id. Lines of
 * both files begin with name, password and id.
 */
export async function nameOf(id: number, root: string, kind: "user" | "group"): Promise<string> {
  const file = resolveUnder(root, kind === "user" ? "/etc/passwd" : "/etc/group");
  const content = await file.then((path) => readRegular(path, maxNamesBytes)).catch(() => "");
  for (const line of String(content).split("\n")) {
    const [name, , number] = line.split(":");
    if (name && number === String(id)) return `${kind} ${name}`;
  }
  return `${kind} ${id}`;
}
