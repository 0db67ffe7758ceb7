import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rmdir, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { CriError } from "../../errors.js";
import { diskStep } from "./disk-error.js";
import type { NodeConfig } from "./node-config.js";
import { lockFile } from "./system-program.js";

/** Keeps other processes from running a pod with the same name. */
export interface PodLock extends AsyncDisposable {
  /** Releases the lock. Further calls have no effect. */
  release(): Promise<void>;
}

const { O_CREAT, O_NOFOLLOW = 0, O_RDWR } = constants;

/** Attempts to lock a file that its last holder removes meanwhile. */
const maxAttempts = 100;

/**
 * Locks the name of a pod on this node, so that at most one process runs it. The kernel releases the lock when this process ends in
 * any way. A lock therefore never has to be broken.
 *
 * @throws CriError `ALREADY_EXISTS` if another process, or this one, holds the lock
 */
export async function lockPod(
  { rootDirectory }: Pick<NodeConfig, "rootDirectory">,
  { namespace, name }: { namespace: string; name: string },
): Promise<PodLock> {
  const path = `${rootDirectory}/locks/${namespace}/${name}`;
  return diskStep(`cannot lock the pod ${namespace}/${name}`, async () => {
    for (let attempt = 1; ; attempt++) {
      const file = await openLock(path);
      try {
        if (!(await lockFile(file.fd))) throw await heldBy(file, `${namespace}/${name}`);
        // The last holder may have removed the file after this process opened it. Its successor locks a new one.
        if (await isAt(file, path)) {
          await file.truncate();
          await file.write(String(process.pid), 0);
          return new HeldLock(file, path);
        }
      } catch (error) {
        await file.close();
        throw error;
      }
      await file.close();
      if (attempt === maxAttempts) throw new CriError({ code: "ABORTED", message: `${path} keeps being replaced` });
    }
  });
}

class HeldLock implements PodLock {
  #file: FileHandle | undefined;

  constructor(
    file: FileHandle,
    private readonly path: string,
  ) {
    this.#file = file;
  }

  async release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    try {
      await unlink(this.path);
      // Fails while other pods of the namespace have locks.
      await rmdir(dirname(this.path)).catch(() => {});
    } finally {
      await file.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

async function openLock(path: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o750 });
      return await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    } catch (error) {
      // Another process has just released the last lock of the namespace, with its folder.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || attempt === maxAttempts) throw error;
    }
  }
}

async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const [opened, named] = await Promise.all([
    file.stat({ bigint: true }),
    stat(path, { bigint: true }).catch(() => undefined),
  ]);
  return opened.ino === named?.ino && opened.dev === named.dev;
}

async function heldBy(file: FileHandle, pod: string): Promise<CriError> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
  const pid = buffer.toString("latin1", 0, bytesRead);
  const holder = pid === String(process.pid) ? "this process" : `process ${pid || "?"}`;
  return new CriError({ code: "ALREADY_EXISTS", message: `the pod ${pod} is already run by ${holder}` });
}
