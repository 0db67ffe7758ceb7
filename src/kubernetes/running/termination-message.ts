import { open } from "node:fs/promises";

/** The most bytes of a termination message, and of logs in its place; the kubelet's limits. */
const maxBytes = 4096;
const maxBytesFromLogs = 2048;
const maxLinesFromLogs = 80;

/**
 * Reads the termination message of a container that exited: the end of its file or, with `FallbackToLogsOnError`, the end of its
 * log if the file is empty and the container failed. Returns `""` if there is none.
 *
 * @param readLog returns the last lines of the container's log; called only if needed
 */
export async function readTerminationMessage(
  { path, policy, exitCode }: { path: string | undefined; policy: string; exitCode: number },
  readLog: (lines: number) => Promise<string>,
): Promise<string> {
  const written = path === undefined ? "" : await endOfFile(path);
  if (written !== "" || policy !== "FallbackToLogsOnError" || exitCode === 0) return written;
  return endOf(Buffer.from(await readLog(maxLinesFromLogs)), maxBytesFromLogs);
}

async function endOfFile(path: string): Promise<string> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return "";
  try {
    // The container may have written gigabytes.
    const { size } = await file.stat();
    const length = Math.min(size, maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

function endOf(bytes: Buffer, length: number): string {
  return bytes.subarray(Math.max(0, bytes.length - length)).toString();
}
