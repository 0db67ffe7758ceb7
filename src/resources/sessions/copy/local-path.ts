import { CriError, InvalidInputError } from "../../../errors.js";
import { LocalFileError } from "../../../internal/files/local-file-error.js";

/** Checks a path of this machine. Node.js would resolve an empty path to the current directory. @throws InvalidInputError */
export function checkLocalPath(path: string): void {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return;
  const message = "must be a path without NUL characters; the current directory is .";
  throw new InvalidInputError({ field: "localPath", message, value: path });
}

/**
 * Converts an error of the local file system. The messages of Node.js are not kept, because they contain internal paths.
 *
 * @param failure what failed, for example `cannot be read`; a LocalFileError has its own reason instead
 */
export function localPathError(failure: string, value: string, cause: unknown): CriError {
  if (CriError.is(cause)) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  const message = cause instanceof LocalFileError ? cause.reason : code ? `${failure} (${code})` : failure;
  return new InvalidInputError({ field: "localPath", message, value, cause });
}

/** Returns a function that throws the error for a path that cannot be read. */
export function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw localPathError("cannot be read", path, cause);
  };
}

/** Returns the error for a file that has ended before the size that was announced. */
export function becameShorter(value: string): InvalidInputError {
  return new InvalidInputError({ field: "localPath", message: "became shorter while it was read", value });
}
