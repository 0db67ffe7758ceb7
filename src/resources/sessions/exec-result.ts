import { CriError, ExecError, InvalidInputError } from "../../errors.js";
import { startFailure } from "../../rpcs/error-messages/command-end.js";
import { refineCode } from "../../rpcs/error-messages/refine-code.js";

/** The result of a command. A non-zero exit code is a result, not an error, unless `throwOnNonZero` is set. */
export interface ExecResult<T extends string | Uint8Array = string> {
  exitCode: number;
  stdout: T;
  stderr: T;
}

/** Checks the `encoding` option. @throws InvalidInputError */
export function checkEncoding(encoding: "utf8" | "buffer"): void {
  if (encoding === "utf8" || encoding === "buffer") return;
  throw new InvalidInputError({ field: "encoding", message: 'must be "utf8" or "buffer"', value: encoding });
}

/** Implements `throwOnNonZero`. @throws ExecError with the whole result unless the exit code is 0 */
export function requireZero(result: ExecResult<string | Uint8Array>, method: string, endpoint: string): void {
  if (result.exitCode === 0) return;
  const message = `the command ended with exit code ${result.exitCode}`;
  throw new ExecError<string | Uint8Array>({ message, method, endpoint, attempts: 1, ...result });
}

/**
 * Checks that a command was started. If it was not, CRI-O and Docker may report the failure as the command's output and exit
 * code.
 *
 * @param output the whole output of the command, or undefined if it is too long for an error message
 * @throws CriError with the runtime's error message; `COMMAND_NOT_FOUND` if the program does not exist
 */
export function checkStarted(
  exitCode: number,
  output: string | undefined,
  { method, program, endpoint }: { method: string; program: string; endpoint?: string | undefined },
): void {
  const message = output && startFailure(exitCode, output, program);
  if (!message) return;
  const code = refineCode("UNKNOWN", method, message);
  throw new CriError({ code, message, method, endpoint, attempts: 1, mayHaveTakenEffect: true });
}
