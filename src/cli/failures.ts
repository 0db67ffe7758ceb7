import { CommanderError } from "commander";
import { CriError } from "../errors.js";
import { errorMessage } from "../internal/error-message.js";
import { ExitError, UsageError } from "./command.js";
import { printableLines } from "./output/table.js";
import { Interruption, type Terminal } from "./terminal.js";

/** Prints an error as one message on stderr, and returns the exit code: 2 for a wrong command line, otherwise 1. */
export function exitCodeOf(error: unknown, { stderr }: Terminal): number {
  if (error instanceof Interruption) return error.exitCode;
  stderr.write(`k8s-cri-client: ${printableLines(errorMessage(error))}\n`);
  if (error instanceof ExitError || error instanceof CommanderError) return error.exitCode;
  return error instanceof UsageError ? 2 : 1;
}

/** What a command that ends with the exit code of another program exits with if it fails itself, as `docker run` does. */
const ownFailure = 125;

/** What shells exit with if there is no such program. */
const programNotFound = 127;

/** Gives an error the exit code of a command that ends with the exit code of another program. */
export function ownFailureOf(error: unknown): unknown {
  if (error instanceof Interruption || error instanceof UsageError || error instanceof ExitError) return error;
  return new ExitError(errorMessage(error), CriError.is(error, "COMMAND_NOT_FOUND") ? programNotFound : ownFailure);
}
