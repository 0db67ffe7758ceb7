/**
 * Fills the disk of a runtime of the lab.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../lab/command.js";
import { containerdPid } from "./containerd-process.js";

/**
 * Shrinks the file system with all data of a runtime so that only `bytesLeft` bytes are free. Disposing of the result restores the
 * size. The file system is a tmpfs in the mount namespace of the runtime.
 */
export async function fillDisk(endpoint: string, bytesLeft: number): Promise<AsyncDisposable> {
  const pid = containerdPid(endpoint);
  const path = join(dirname(endpoint.replace(/^unix:\/\//, "")), "private");
  const resize = (bytes: number) =>
    run("nsenter", [`--target=${pid}`, "--mount", "--", "mount", "-o", `remount,size=${bytes}`, path]);
  const { blocks, bfree, bsize } = await statfs(`/proc/${pid}/root${path}`);
  await resize((blocks - bfree) * bsize + bytesLeft);
  return { [Symbol.asyncDispose]: async () => void (await resize(blocks * bsize)) };
}
