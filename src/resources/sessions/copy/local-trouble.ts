import { CriError, InvalidInputError } from "../../../errors.js";
import { LocalFileError } from "../../../internal/local-file-error.js";

/** A failure of the local file system in words of its own: Node.js would quote paths that the caller never gave. */
export function localTrouble(what: string, value: string, cause: unknown): CriError {
  if (CriError.is(cause)) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  const message = cause instanceof LocalFileError ? cause.reason : code ? `${what} (${code})` : what;
  return new InvalidInputError({ field: "localPath", message, value, cause });
}
