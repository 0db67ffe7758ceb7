import { CriError } from "../../../errors.js";
import { quoted } from "../../../internal/files/byte-string.js";

/** Creates the error for an archive that is malformed, or has content that `copyFrom` does not support. */
export function invalidArchive(message: string): CriError {
  return archiveError("INVALID_RESPONSE", message);
}

/** Creates the error for an archive with entries of different kinds under the same name. */
export function conflictingKinds(name: string): CriError {
  return invalidArchive(`has ${quoted(name)} as more than one kind of file`);
}

/** Creates the error for an archive that exceeds a limit of the caller. */
export function limitExceeded(message: string): CriError {
  return archiveError("RESOURCE_EXHAUSTED", message);
}

function archiveError(code: "INVALID_RESPONSE" | "RESOURCE_EXHAUSTED", message: string): CriError {
  const details = `the archive from the container ${message}`;
  return new CriError({ code, message: details, method: "RuntimeService/Exec", attempts: 1 });
}
