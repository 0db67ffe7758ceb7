import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, readlink, rename, rm, symlink, unlink } from "node:fs/promises";
import { posix } from "node:path";
import { refuse } from "../../input/check.js";
import { lstatIfExists } from "../../internal/files/folder.js";
import type { FilePlan } from "../planning/pod-plan-types.js";
import { removeDirectory } from "./remove-directory.js";
import { giveFilesToGroup } from "./volume-ownership.js";

/** The link to the directory of the current files. Each file of the volume is a link through it, so that all change at once. */
const current = "..data";

/**
 * Writes the files of a volume in the layout of a kubelet: the files are in a directory such as `..2026_11_29_10_15_00.8f3a`,
 * `..data` is a link to it, and the names in the volume are links through `..data`. A container sees either all earlier files or
 * all new ones. If the volume has these files already, only completes what a killed process left undone.
 *
 * @param path the directory of the volume
 * @param fsGroup the group that may read the files
 */
export async function writeFileVolume(
  path: string,
  files: readonly FilePlan[],
  fsGroup: number | undefined,
): Promise<void> {
  for (const file of files) checkPath(file.path);
  const previous = await linkTarget(`${path}/${current}`);
  const isCurrent = previous !== undefined && (await hasFiles(`${path}/${previous}`, files));
  const version = isCurrent ? previous : `..${timestamp(new Date())}.${randomBytes(4).toString("hex")}`;
  if (!isCurrent) {
    await writeVersion(`${path}/${version}`, files);
    if (fsGroup !== undefined) await giveFilesToGroup(path, fsGroup);
    await replaceCurrent(path, version);
  }
  // Even if the files are there: a process may have been killed before it did the rest.
  await rm(temporaryLink(path), { force: true });
  await linkNames(path, new Set(files.map((file) => topmost(file.path))));
  for (const name of await readdir(path)) {
    if (name.startsWith("..") && name !== current && name !== version) await removeDirectory(`${path}/${name}`);
  }
}

/** Refuses a path that leads out of the volume or into its administration. */
function checkPath(path: string): void {
  const isInner = posix.normalize(path) === path && !path.startsWith("/") && !path.startsWith("..") && path !== ".";
  if (!isInner) refuse("path", `${JSON.stringify(path)} must be a relative path that does not begin with ".."`);
}

/** Writes the files to a new directory. */
async function writeVersion(directory: string, files: readonly FilePlan[]): Promise<void> {
  const folders = new Set<string>([directory]);
  for (const { path } of files) {
    const names = path.split("/").slice(0, -1);
    for (const [index] of names.entries()) folders.add(`${directory}/${names.slice(0, index + 1).join("/")}`);
  }
  // A set keeps its order, and each folder was added after its parent.
  for (const folder of folders) {
    await mkdir(folder);
    await chmod(folder, 0o755);
  }
  for (const { path, content, mode, uid } of files) {
    await using file = await open(`${directory}/${path}`, "wx", 0o600);
    await file.writeFile(content);
    if (uid !== undefined) await file.chown(uid, 0);
    await file.chmod(mode);
  }
}

/** Returns whether a directory has these files with this content, and no others at the top. */
async function hasFiles(directory: string, files: readonly FilePlan[]): Promise<boolean> {
  const names = await readdir(directory).catch(() => []);
  if (new Set([...names, ...files.map((file) => topmost(file.path))]).size !== names.length) return false;
  if (names.some((name) => !files.some((file) => topmost(file.path) === name))) return false;
  for (const { path, content } of files) {
    const existing = await readFile(`${directory}/${path}`).catch(() => undefined);
    if (!existing?.equals(content)) return false;
  }
  return true;
}

/** Creates the links for the names of the volume, and removes those of earlier files. */
async function linkNames(path: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of names) {
    if (!(await lstatIfExists(`${path}/${name}`))) await symlink(`${current}/${name}`, `${path}/${name}`);
  }
  for (const name of await readdir(path)) {
    const isStale = !name.startsWith("..") && !names.has(name);
    if (isStale && (await linkTarget(`${path}/${name}`)) === `${current}/${name}`) await unlink(`${path}/${name}`);
  }
}

const temporaryLink = (path: string) => `${path}/${current}_tmp`;

/** Makes the link to the current files point to another version at once. */
async function replaceCurrent(path: string, target: string): Promise<void> {
  await rm(temporaryLink(path), { force: true }); // of a process that was killed
  await symlink(target, temporaryLink(path));
  await rename(temporaryLink(path), `${path}/${current}`);
}

async function linkTarget(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}

function topmost(path: string): string {
  return path.split("/", 1)[0] ?? "";
}

/** Formats a time as `2026_11_29_10_15_00`, in UTC. */
function timestamp(time: Date): string {
  return time.toISOString().slice(0, 19).replace(/[-T:]/g, "_");
}
