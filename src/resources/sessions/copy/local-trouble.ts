import { CriError, InvalidInputError } from "../../../errors.js";

/** A failure of the local file system in words of its own: Node.js would quote paths that the caller never gave. */
export function localTrouble(what: string, value: string, cause: unknown): CriError {
  if (CriError.is(cause)) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  return new InvalidInputError({ field: "localPath", message: code ? `${what} (${code})` : what, value, cause });
}
