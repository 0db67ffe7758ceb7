import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { CriError } from "../../errors.js";
import type { VolumePlan } from "../planning/pod-plan-types.js";
import { isMountPoint } from "./mount-point.js";
import { mountFileSystem } from "./mounting.js";
import { giveDirectoryToGroup } from "./volume-ownership.js";

type EmptyDirPlan = Extract<VolumePlan, { kind: "emptyDir" }>;

/** Creates the directory of an `emptyDir`, and mounts its file system unless it is on disk. Keeps one that is mounted already. */
export async function prepareEmptyDir({
  path,
  medium,
  sizeLimitBytes,
  pageSizeBytes,
  fsGroup,
}: EmptyDirPlan): Promise<void> {
  await makeVolumeDirectory(path);
  if (medium === "memory") await mountTmpfs(path, sizeLimitBytes);
  if (medium === "hugePages" && !(await isMountPoint(path))) {
    await mountFileSystem("hugetlbfs", path, pageSizeBytes === undefined ? [] : [`pagesize=${pageSizeBytes}`]);
  }
  if (fsGroup !== undefined) await giveDirectoryToGroup(path, fsGroup);
}

/** Creates the directory of a volume, which users of all containers may write to. */
export async function makeVolumeDirectory(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  // The process' umask does not apply to chmod.
  if (!(await isMountPoint(path))) await chmod(path, 0o777);
}

/**
 * Mounts a tmpfs unless one is mounted. It cannot be swapped out where the kernel supports that (Linux 6.4), so that secrets never
 * reach a disk.
 */
export async function mountTmpfs(path: string, sizeBytes: bigint | undefined): Promise<void> {
  if (await isMountPoint(path)) return;
  const options = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
  try {
    await mountFileSystem("tmpfs", path, [...options, "noswap"]);
  } catch (error) {
    if (!CriError.is(error)) throw error;
    // An option that the kernel does not know makes the mount fail without an effect.
    await mountFileSystem("tmpfs", path, options);
  }
}
