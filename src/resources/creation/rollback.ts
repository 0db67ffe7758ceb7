import { CriError } from "../../errors.js";
import { RollbackStack } from "../../internal/rollback-stack.js";
import { type CallOptions, rollbackTimeoutMs } from "../../options.js";
import { startBudget } from "../../rpcs/budget.js";
import type { Connection } from "../../transport/connection.js";
import { log } from "../../transport/logging.js";
import { removeContainer } from "../stopping.js";
import { abandon } from "./abandoned.js";
import { cleanUpOptions } from "./clean-up.js";
import { readMark } from "./creation-mark.js";
import type { MadeContainer } from "./made.js";

/**
 * Runs a workflow. If it fails, rolls back its steps in reverse order and throws the first error.
 *
 * The errors of the rollback are in `suppressed` of that error. They are also logged, because the reason of an aborted signal has
 * no such field. If the rollback fails, the error has `mayHaveTakenEffect`.
 */
export async function withRollback<T>(
  connection: Connection,
  workflow: (rollback: RollbackStack) => Promise<T>,
): Promise<T> {
  const rollback = new RollbackStack();
  try {
    return await workflow(rollback);
  } catch (error) {
    const failures = await rollback.run();
    for (const failure of failures) {
      const { endpoint, options } = connection;
      log(options.logger, "warn", "rolling back a failed workflow failed", { endpoint, error: String(failure) });
    }
    throw failures.length > 0 && CriError.is(error) ? error.inDoubt().withSuppressed(failures) : error;
  }
}

/** Removes a created container whose workflow failed. If that fails, the next creation with its name removes it. */
export async function rollBackCreation(
  connection: Connection,
  made: MadeContainer,
  caller: CallOptions,
): Promise<void> {
  try {
    const options = cleanUpOptions(connection, rollbackTimeoutMs, caller);
    await removeContainer(connection, made.id, 0, startBudget(connection, options, undefined));
    await made.logFolder?.removeIfEmpty();
  } catch (error) {
    const mark = readMark(made.config);
    if (mark) abandon(mark, "half removed");
    throw error;
  }
}
