import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { readRegular } from "../internal/open-regular.js";
import { resolveUnder } from "./node-root.js";

/** What every explanation of {@link explainDenied} begins with. */
export const permissionDenied = "permission denied";

/** The largest `/etc/passwd` or `/etc/group` that is searched for a name, in bytes. */
const maxNamesBytes = 1024 * 1024;

/** What has to be allowed: to connect to a socket means to write to it, to pass through a directory to search it. */
type Need = "write" | "search";

/**
 * Says why a path may not be used, and by whom it may: `permission denied: /run/containerd is for user root …`.
 *
 * @param path a socket that answered "no permission", or that cannot even be looked at
 * @param root where the file system lies that holds `/etc/passwd` and `/etc/group`
 */
export async function explainDenied(path: string, root = "/"): Promise<string> {
  const found = await firstVisible(path);
  if (found === undefined) return permissionDenied;
  const need: Need = found.path === path ? "write" : "search";
  const { uid, gid, mode } = found.stats;
  const user = await nameOf(uid, root, "user");
  const group = await nameOf(gid, root, "group");
  const what = `${permissionDenied}: ${found.path} belongs to ${user} and ${group}, mode ${octal(mode)}`;
  if (allowed(found.stats, need)) return `${what}, which would allow it; look for a rule of SELinux or AppArmor`;
  return `${what}; ${remedy(found.stats, need, user, group)}`;
}

/** The path itself, or the deepest directory above it that can be looked at: that one is what bars the way. */
async function firstVisible(path: string): Promise<{ path: string; stats: Stats } | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const stats = await stat(at).catch(() => undefined);
    if (stats !== undefined) return { path: at, stats };
    if (at === dirname(at)) return undefined;
  }
}

function bits(need: Need): { owner: number; group: number; others: number } {
  return need === "write"
    ? { owner: 0o200, group: 0o020, others: 0o002 }
    : { owner: 0o100, group: 0o010, others: 0o001 };
}

function allowed({ uid, gid, mode }: Stats, need: Need): boolean {
  const { owner, group, others } = bits(need);
  const me = process.geteuid?.();
  if (me === 0) return true;
  if (me === uid) return (mode & owner) !== 0;
  const mine = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  return (mode & (mine.includes(gid) ? group : others)) !== 0;
}

function remedy({ uid, gid, mode }: Stats, need: Need, user: string, group: string): string {
  const ways = ["run as root"];
  if (uid !== 0 && (mode & bits(need).owner) !== 0) ways.push(`as ${user}`);
  // Group 0 is root's own: to join it is no lesser thing than to be root.
  if (gid !== 0 && (mode & bits(need).group) !== 0) ways.push(`as a member of ${group}`);
  return ways.join(", or ");
}

/** The permissions of a file as `chmod` takes them: `0644`. */
export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** `user root`, `group 998`: with the name if the file knows it. Both files begin each line with name, password, id. */
export async function nameOf(id: number, root: string, kind: "user" | "group"): Promise<string> {
  const file = resolveUnder(root, kind === "user" ? "/etc/passwd" : "/etc/group");
  const content = await file.then((path) => readRegular(path, maxNamesBytes)).catch(() => "");
  for (const line of String(content).split("\n")) {
    const [name, , number] = line.split(":");
    if (name && number === String(id)) return `${kind} ${name}`;
  }
  return `${kind} ${id}`;
}
