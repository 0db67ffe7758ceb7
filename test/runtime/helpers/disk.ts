/**
 * The disk of a lab's runtime, to be made too small and large again.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../lab/command.js";
import { containerdPid } from "./containerd-process.js";

/**
 * Makes the file system that holds all of a runtime's data as large as what is on it and some bytes more, for the time of a block.
 * It is in memory, and in a mount namespace of the runtime's own.
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
