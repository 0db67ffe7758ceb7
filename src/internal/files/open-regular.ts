import type { FileHandle } from "node:fs/promises";
import { LocalFileError } from "./local-file-error.js";
import { PathHandle, type PathHandleOptions } from "./path-handle.js";

/** The number of attempts to open a file that is replaced while it is being opened. */
const maxAttempts = 20;

/**
 * Opens a regular file for reading. Follows symbolic links. Refuses every other kind of file without opening it: a named pipe
 * without a writer would block a thread of Node.js' pool, and four of them would stop all file and DNS operations.
 *
 * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
 */
export async function openRegular(path: string, options?: PathHandleOptions): Promise<FileHandle> {
  for (let attempt = 1; ; attempt++) {
    await using handle = await PathHandle.open(path, options);
    try {
      return await handle.openRegular();
    } catch (error) {
      // A rotation may have replaced the log file, so the next attempt opens the new file.
      if (attempt === maxAttempts || (error as LocalFileError).code !== "ERR_FILE_CHANGED") throw error;
    }
  }
}

/**
 * Reads a whole regular file. Does not rely on its size: it is 0 for files in `/proc`, and a file may grow while it is read.
 *
 * @param maxBytes the size of the largest file to read; the content is held in memory
 * @throws LocalFileError `ERR_FILE_TOO_LARGE`, and the errors of {@link openRegular}
 */
export async function readRegular(path: string, maxBytes: number): Promise<Buffer> {
  await using file = await openRegular(path);
  const content = Buffer.allocUnsafe(maxBytes + 1);
  for (let length = 0; ; ) {
    const { bytesRead } = await file.read(content, length, content.length - length, length);
    length += bytesRead;
    if (bytesRead === 0) return content.subarray(0, length);
    if (length <= maxBytes) continue;
    const size = Math.max(length, (await file.stat()).size);
    throw new LocalFileError("ERR_FILE_TOO_LARGE", path, `has ${size} bytes or more; at most ${maxBytes} are read`);
  }
}
