import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Opens a new temporary file for reading and writing, and removes its name. The system frees its space when it is closed, even if
 * this process is killed.
 *
 * @throws the error of `node:fs`
 */
export async function openUnlinked(): Promise<FileHandle> {
  const path = join(tmpdir(), `k8s-cri-client-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await unlink(path);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}
