import type { BigIntStats } from "node:fs";

/** The reason why this package refuses a file that the operating system would let it read. */
export type LocalFileErrorCode =
  | "ERR_NOT_REGULAR_FILE"
  | "ERR_FILE_TOO_LARGE"
  | "ERR_FILE_CHANGED"
  | "ERR_NAME_NOT_UTF8";

/** Reports that this package refused a local file. Has a `code` like the errors of `node:fs`, so that callers can check both. */
export class LocalFileError extends Error {
  /** The error message after the path: `is a named pipe, not a regular file`. */
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

/** Describes the kind of a file: `a named pipe`. */
export function fileKind(
  stats: Pick<BigIntStats, `is${"File" | "Directory" | "SymbolicLink" | "FIFO" | "Socket"}`>,
): string {
  if (stats.isFile()) return "a regular file";
  if (stats.isDirectory()) return "a directory";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}
