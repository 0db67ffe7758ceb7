import { once } from "node:events";
import { lstat, readdir, rmdir, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

/** Returns the name of the folder for a fake's socket, without its random part. */
export const folderPrefix = (pid: number) => `k8s-cri-fake-${pid}-`;

/** The name of the socket in that folder. */
export const socketName = "s";

/**
 * The minimum age of a folder to remove. A younger folder may belong to a process that does not listen yet and runs in another
 * container that shares the directory.
 */
const minimumAgeMs = 60_000;

/**
 * Removes the folders of fakes whose process ended without stopping them. Removes a folder only if it contains nothing but the
 * socket and no process listens there. Everything else in the directory may belong to other processes.
 */
export async function removeStaleFolders(parent: string): Promise<void> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const pid = /^k8s-cri-fake-(\d+)-\w{6}$/.exec(entry.name)?.[1];
    if (pid === undefined || !entry.isDirectory() || isAlive(Number(pid))) continue;
    await removeIfStale(join(parent, entry.name)).catch(() => {});
  }
}

async function removeIfStale(folder: string): Promise<void> {
  const { mtimeMs } = await lstat(folder);
  if (Date.now() - mtimeMs < minimumAgeMs) return;
  const [only, ...others] = await readdir(folder, { withFileTypes: true });
  if (only?.name !== socketName || !only.isSocket() || others.length > 0) return;
  const socket = join(folder, socketName);
  if (await isListening(socket)) return;
  await unlink(socket);
  await rmdir(folder);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}
