import { CriError, InvalidInputError } from "../../../errors.js";
import { LocalFileError } from "../../../internal/files/local-file-error.js";

/** Checks a path of this machine. Node.js would take an empty one for the current directory. @throws InvalidInputError */
export function checkLocalPath(path: string): void {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return;
  const message = "must be a path without NUL characters; the current directory is .";
  throw new InvalidInputError({ field: "localPath", message, value: path });
}

/** A failure of the local file system in words of its own: Node.js would quote paths that the caller never gave. */
export function localPathError(what: string, value: string, cause: unknown): CriError {
  if (CriError.is(cause)) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  const message = cause instanceof LocalFileError ? cause.reason : code ? `${what} (${code})` : what;
  return new InvalidInputError({ field: "localPath", message, value, cause });
}
