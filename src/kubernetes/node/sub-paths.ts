import { mkdir, open, rmdir, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { toByteString } from "../../internal/files/byte-string.js";
import { Folder } from "../../internal/files/folder.js";
import type { PathHandle } from "../../internal/files/path-handle.js";
import type { SubPathPlan } from "../planning/pod-plan-types.js";
import { diskStep } from "./disk-error.js";
import { isMountPoint } from "./mount-point.js";
import { bindMount, unmountWithin } from "./mounting.js";
import { openWithinVolume } from "./open-within-volume.js";

/**
 * Mounts the sub-paths of the volumes of a container at paths of their own, as a kubelet does before it creates the container. The
 * runtime resolves paths by name, so it cannot tell whether a container of the pod has replaced a part of the sub-path with a link
 * to the node's files. A mount has no such parts. Missing sub-paths become directories.
 *
 * Keeps the mount of an earlier attempt if the sub-path still is the same file.
 *
 * @throws CriError `FAILED_PRECONDITION` if a sub-path leads out of its volume
 */
export async function mountSubPaths(subPaths: readonly SubPathPlan[]): Promise<void> {
  for (const subPath of subPaths) {
    const { subPath: shown, container } = subPath;
    await diskStep(`sub-path ${JSON.stringify(shown)} of container ${container}`, () => mountSubPath(subPath));
  }
}

async function mountSubPath({ volumePath, subPath, path }: SubPathPlan): Promise<void> {
  await using source = await openWithinVolume(volumePath, subPath);
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await using parent = await Folder.open(dirname(path));
  const name = toByteString(basename(path));
  if ((await parent.lstat(name)) && (await isMountPoint(path))) {
    if (await isSame(parent, name, source)) return;
    await unmountWithin(`${await parent.path()}/${name}`);
  }
  await makeTarget(parent, name, source.stats.isDirectory());
  await bindMount(source, path);
}

async function isSame(parent: Folder, name: string, source: PathHandle): Promise<boolean> {
  await using target = await parent.entry(name);
  return target.stats.dev === source.stats.dev && target.stats.ino === source.stats.ino;
}

/** Creates what the source is mounted on: a directory, or a file for anything else. */
async function makeTarget(parent: Folder, name: string, directory: boolean): Promise<void> {
  const path = parent.at(name);
  const existing = await parent.lstat(name);
  if (existing?.isDirectory() === directory) return;
  // An earlier attempt mounted a file of another kind.
  if (existing) await (existing.isDirectory() ? rmdir(path) : unlink(path));
  if (directory) await mkdir(path, { mode: 0o750 });
  else await (await open(path, "wx", 0o640)).close();
}
