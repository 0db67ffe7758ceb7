import { once } from "node:events";
import { readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

/** What the folder of a runtime's socket is called up to the random part of its name. */
export const folderPrefix = (pid: number) => `cri-${pid}-`;

/** The name of the socket in it. */
export const socketName = "s";

/**
 * Removes the folders of runtimes whose process has ended without stopping them. A folder stays if its process may be alive, in this
 * container or in another one that shares the directory: what cannot be told or removed is left alone.
 */
export async function removeLeftovers(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const folders = names.filter((name) => {
    const pid = /^cri-(\d+)-\w{6}$/.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
  for (const folder of folders.map((name) => join(parent, name))) {
    if (await answers(join(folder, socketName))) continue;
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return !["ENOENT", "ECONNREFUSED"].includes((error as NodeJS.ErrnoException).code ?? "");
  } finally {
    socket.destroy();
  }
}
