import { readFile } from "node:fs/promises";

/** A mount in the mount namespace of this process. */
export interface MountEntry {
  /** The mount point, as a byte string. */
  path: string;
  /** The type of the file system, such as `tmpfs`. */
  type: string;
  /** The options of the file system itself, such as `size=64k`. On cgroup v1 they name the controllers. */
  options: readonly string[];
}

/** Reads the mounts of this process, in the order in which they were made. Returns none on systems other than Linux. */
export async function readMounts(): Promise<MountEntry[]> {
  if (process.platform !== "linux") return [];
  return parseMounts(await readFile("/proc/self/mountinfo", "latin1"));
}

/** Parses `/proc/self/mountinfo`. */
export function parseMounts(text: string): MountEntry[] {
  return text.split("\n").flatMap((line) => {
    // id parent major:minor root path options… - type source options. Optional fields precede the hyphen.
    const [mount = "", fileSystem = ""] = line.split(" - ");
    const path = mount.split(" ")[4];
    const [type = "", , options = ""] = fileSystem.split(" ");
    return path === undefined ? [] : [{ path: decodeOctal(path), type, options: options.split(",") }];
  });
}

/** Returns the mount points in a directory and the directory's own, in the order in which they have to be unmounted. */
export function mountsWithin(mounts: readonly MountEntry[], directory: string): MountEntry[] {
  // A mount is later in the table than the one that it covers or is within.
  return mounts.filter(({ path }) => path === directory || path.startsWith(`${directory}/`)).reverse();
}

/** Decodes spaces, tabs, line feeds and backslashes, which the kernel writes as `\040`. */
function decodeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
