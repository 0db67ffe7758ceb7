import { CriError, type CriErrorCode } from "../errors.js";
import { errorMessage } from "../internal/error-message.js";
import { LocalFileError } from "../internal/files/local-file-error.js";

const codes: Readonly<Record<string, CriErrorCode>> = {
  ENOENT: "NOT_FOUND",
  ENOTDIR: "NOT_FOUND",
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  // The permission model of Node.js, `node --permission`.
  ERR_ACCESS_DENIED: "PERMISSION_DENIED",
  ERR_NOT_REGULAR_FILE: "FAILED_PRECONDITION",
  EMFILE: "RESOURCE_EXHAUSTED",
  ENFILE: "RESOURCE_EXHAUSTED",
  Z_DATA_ERROR: "DATA_LOSS",
  Z_BUF_ERROR: "DATA_LOSS",
};

/** Returns whether an error of the file system means that the file does not exist. */
export function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error));
}

/** Converts an error of the file system to the error for a log that cannot be read. */
export function logFailure(path: string, error: unknown): CriError {
  const code = codes[codeOf(error)] ?? "UNKNOWN";
  const message =
    code === "NOT_FOUND"
      ? `there is no log file ${path}. Logs are files on the node of the runtime: this program has to run there, with the log ` +
        "directory (usually /var/log/pods) mounted at the same path if it runs in a container"
      : `cannot read the log file ${path}: ${reasonOf(error)}`;
  return new CriError({ code, message, cause: error });
}

/** Creates the error for a log without a line in a known format. */
export function unknownFormat(path: string): CriError {
  const message =
    `${path} is not a container log: no line of it is in the CRI log format or in Docker's JSON; ` +
    'format: "raw" reads plain lines';
  return new CriError({ code: "INVALID_RESPONSE", message });
}

function reasonOf(error: unknown): string {
  if (error instanceof LocalFileError) return `it ${error.reason}`;
  return errorMessage(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
