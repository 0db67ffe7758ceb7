import { CriError, ExecError, InvalidInputError } from "../../errors.js";
import { startFailure } from "../../rpcs/error-messages/command-end.js";
import { refineCode } from "../../rpcs/error-messages/refine-code.js";

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

/**
 * Checks that a command was started. CRI-O and Docker may report that it was not as its output and exit code.
 *
 * @param output all that the command wrote, or undefined if that is too long for such a report
 * @throws CriError with the runtime's message; `COMMAND_NOT_FOUND` if there is no such program
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
