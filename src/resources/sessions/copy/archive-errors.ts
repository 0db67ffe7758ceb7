import { CriError } from "../../../errors.js";
import { quoted } from "../../../internal/files/byte-string.js";

/** The error of an archive that is malformed, or holds what a copy does not take. */
export function invalidArchive(message: string): CriError {
  return failure("INVALID_RESPONSE", message);
}

/** The error of an archive in which a name stands for things of different kinds. */
export function conflictingKinds(name: string): CriError {
  return invalidArchive(`has ${quoted(name)} as more than one kind of file`);
}

/** The error of an archive that exceeds a limit of the caller. */
export function limitExceeded(message: string): CriError {
  return failure("RESOURCE_EXHAUSTED", message);
}

function failure(code: "INVALID_RESPONSE" | "RESOURCE_EXHAUSTED", message: string): CriError {
  const text = `the archive from the container ${message}`;
  return new CriError({ code, message: text, method: "RuntimeService/Exec", attempts: 1 });
}
