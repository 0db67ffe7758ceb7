import { CriError, type CriErrorCode, InvalidInputError } from "../../errors.js";
import { LocalFileError } from "../../internal/files/local-file-error.js";

const codes: Readonly<Record<string, CriErrorCode>> = {
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EROFS: "PERMISSION_DENIED",
  ENOSPC: "RESOURCE_EXHAUSTED",
  EDQUOT: "RESOURCE_EXHAUSTED",
  EMFILE: "RESOURCE_EXHAUSTED",
  ENFILE: "RESOURCE_EXHAUSTED",
};

/**
 * Runs one step on the node's disk. Begins the message of an error with what failed, and turns errors of the operating system into
 * a CriError. Passes the reason of an aborted signal on.
 *
 * @param what such as `volume "data"`
 */
export async function diskStep<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
    if (CriError.is(error)) {
      throw new CriError({ code: error.code, message: `${what}: ${error.details}`, cause: error });
    }
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    if (typeof syscall !== "string" && !(error instanceof LocalFileError)) throw error;
    const kind = codes[code ?? ""] ?? "FAILED_PRECONDITION";
    const remedy = kind === "PERMISSION_DENIED" ? "; pods need root on the node" : "";
    throw new CriError({ code: kind, message: `${what}: ${message}${remedy}`, cause: error });
  }
}

/** Refuses a state of the disk that the pod cannot run with. */
export function refuseDisk(message: string): never {
  throw new CriError({ code: "FAILED_PRECONDITION", message });
}
