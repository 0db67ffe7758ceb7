import type { BigIntStats } from "node:fs";

/** Why this package does not read a file that the operating system would let it read. */
export type LocalFileErrorCode = "ERR_NOT_REGULAR_FILE" | "ERR_FILE_TOO_LARGE" | "ERR_FILE_CHANGED";

/** A local file that is refused. Shaped like the errors of `node:fs`, so that callers look at `code` for both. */
export class LocalFileError extends Error {
  /** The rest of a sentence whose subject is the file: `is a named pipe, not a regular file`. */
  readonly reason: string;

  constructor(
    readonly code: LocalFileErrorCode,
    readonly path: string,
    reason: string,
  ) {
    super(`${path} ${reason}`);
    this.name = "LocalFileError";
    this.reason = reason;
  }
}

/** The kind of a file, in words: `a named pipe`. */
export function fileKind(
  stats: Pick<BigIntStats, `is${"File" | "Directory" | "SymbolicLink" | "FIFO" | "Socket"}`>,
): string {
  if (stats.isFile()) return "a regular file";
  if (stats.isDirectory()) return "a directory";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}
