/**
 * A lock between processes of one machine.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` while no other process, and no other caller in this process, holds the lock of the same key.
 *
 * The lock is a listening socket in the abstract namespace of Linux. The kernel closes the socket when its process ends. Unlike a
 * lock file, it therefore never outlives a crash.
 */
export async function withLock<T>(key: string, work: () => Promise<T>): Promise<T> {
  const name = `\0cri-lab-lock-${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;
  let server = await tryListen(name);
  while (server === undefined) {
    await sleep(100);
    server = await tryListen(name);
  }
  const held = server;
  try {
    return await work();
  } finally {
    await new Promise<void>((resolve) => held.close(() => resolve()));
  }
}

function tryListen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    // Without `exclusive`, workers of a cluster would share the handle, and so the lock.
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ path: name, exclusive: true }, () => resolve(server));
  });
}
