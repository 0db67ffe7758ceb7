import { ExecError, InvalidInputError } from "../errors.js";

/** The end of a command. A non-zero exit code is data, not an error, unless `throwOnNonZero` was set. */
export interface ExecResult<T extends string | Uint8Array = string> {
  exitCode: number;
  stdout: T;
  stderr: T;
}

/** What the output is given as. @throws InvalidInputError */
export function checkEncoding(encoding: "utf8" | "buffer"): void {
  if (encoding === "utf8" || encoding === "buffer") return;
  throw new InvalidInputError({ field: "encoding", message: 'must be "utf8" or "buffer"', value: encoding });
}

/** For `throwOnNonZero`. @throws ExecError with all of the result */
export function demandZero(result: ExecResult<string | Uint8Array>, method: string, endpoint: string): void {
  if (result.exitCode === 0) return;
  const message = `the command ended with exit code ${result.exitCode}`;
  throw new ExecError<string | Uint8Array>({ message, method, endpoint, attempts: 1, ...result });
}
