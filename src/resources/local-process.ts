import { CriError } from "../errors.js";
import { cgroupIds } from "../internal/cgroup-ids.js";
import { readRegular } from "../internal/files/open-regular.js";

/** The size limit of each file in `/proc`, in bytes. The files are usually smaller than 4 KiB. */
const maxBytes = 65_536;

/** The limit for the ancestors of a process. */
const maxAncestors = 256;

/** Clock ticks per second in `/proc/<pid>/stat`, the same on all architectures that Node.js supports. */
const ticksPerSecond = 100;

/** A process of this machine. */
export interface LocalProcess {
  /** The process ids: first in the pid namespace of this program, then in the namespaces nested in it. */
  readonly pids: readonly number[];
  /** The start time, in milliseconds since 1970. */
  readonly startedAt: number;
}

/** Returns the ids of containers and pods in the control groups of a process; `undefined` if there is no such process. */
export async function cgroupIdsOf(pid: number): Promise<string[] | undefined> {
  const text = await readProc(`${pid}/cgroup`);
  return text === undefined ? undefined : cgroupIds(text);
}

/** Returns a process and its ancestors, as far as they still run. */
export async function withAncestors(pid: number): Promise<LocalProcess[]> {
  const upSeconds = Number.parseFloat((await readProc("uptime")) ?? "");
  const bootedAt = Date.now() - 1_000 * upSeconds;
  const found: LocalProcess[] = [];
  for (let current = pid; current > 0 && found.length < maxAncestors; ) {
    const [status, stat] = [await readProc(`${current}/status`), await readProc(`${current}/stat`)];
    if (status === undefined || stat === undefined) break;
    const numbers = (key: string) => new RegExp(`^${key}:\\s+(.*)$`, "m").exec(status)?.[1]?.split(/\s+/).map(Number);
    // The second field is the name of the program in parentheses, which may contain anything.
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    found.push({ pids: numbers("NSpid") ?? [current], startedAt: bootedAt + (1_000 * ticks) / ticksPerSecond });
    current = numbers("PPid")?.[0] ?? 0;
  }
  return found;
}

/** Reads a file in `/proc`; returns `undefined` if the process does not exist. */
async function readProc(name: string): Promise<string | undefined> {
  try {
    return (await readRegular(`/proc/${name}`, maxBytes)).toString("latin1");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    const denied = code === "EACCES" || code === "EPERM";
    throw new CriError({ code: denied ? "PERMISSION_DENIED" : "UNKNOWN", message, cause: error });
  }
}
