/**
 * Mounts and unmounts with the programs of util-linux, because Node.js has no system call for it. The mounts are in the mount
 * namespace of this process, which has to be the runtime's, or one that propagates its mounts to the runtime's.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { CriError } from "../../errors.js";
import { toText } from "../../internal/files/byte-string.js";
import { PathHandle } from "../../internal/files/path-handle.js";
import { mountsWithin, readMounts } from "../../internal/machine/mount-table.js";
import { requireSystemProgram, runSystemProgram } from "./system-program.js";

/** Mounts a new file system. */
export function mountFileSystem(type: "tmpfs" | "hugetlbfs", path: string, options: readonly string[]): Promise<void> {
  const settings = options.length > 0 ? ["-o", options.join(",")] : [];
  return requireSystemProgram("mount", ["--no-canonicalize", "-n", "-t", type, ...settings, type, path]);
}

/**
 * Mounts a file or directory at another path. The source is given by its handle, so that no other process can replace it.
 * `mount` must not resolve the path of the handle to the file's name (`--no-canonicalize`), which another process may rename.
 */
export function bindMount(source: PathHandle, path: string): Promise<void> {
  const descriptor = source.path.replace("/proc/self/", `/proc/${process.pid}/`);
  return requireSystemProgram("mount", ["--no-canonicalize", "-n", "--bind", descriptor, path]);
}

/** The attempts to remove all mounts. Each attempt finds the mounts that others covered. */
const maxRounds = 100;

/**
 * Unmounts a directory and everything within it. Detaches a mount that is in use: it disappears from the directory now, and is
 * freed when its last user ends.
 *
 * @param directory the canonical path of the directory, as a byte string
 */
export async function unmountWithin(directory: string): Promise<void> {
  for (let round = 1; ; round++) {
    const mounts = mountsWithin(await readMounts(), directory);
    if (mounts.length === 0) return;
    if (round > maxRounds) {
      const message = `${toText(directory)} has mounts that cannot be removed, such as ${toText(mounts[0]?.path ?? "")}`;
      throw new CriError({ code: "FAILED_PRECONDITION", message });
    }
    for (const { path } of mounts) await unmount(path);
  }
}

async function unmount(path: string): Promise<void> {
  if (!isUtf8(Buffer.from(path, "latin1"))) return detachByHandle(path);
  const { exitCode } = await runSystemProgram("umount", ["--no-canonicalize", "-n", toText(path)]);
  if (exitCode !== 0) await requireSystemProgram("umount", ["--no-canonicalize", "-n", "--lazy", toText(path)]);
}

/** Detaches a mount whose path cannot be an argument of a program, because it is not UTF-8. */
async function detachByHandle(path: string): Promise<void> {
  await using handle = await PathHandle.open(Buffer.from(path, "latin1"), { follow: false });
  const descriptor = handle.path.replace("/proc/self/", `/proc/${process.pid}/`);
  await requireSystemProgram("umount", ["--no-canonicalize", "-n", "--lazy", descriptor]);
}
