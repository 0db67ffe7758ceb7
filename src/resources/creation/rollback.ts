import { CriError } from "../../errors.js";
import { RollbackStack } from "../../internal/rollback-stack.js";
import { log } from "../../transport/logging.js";
import type { Core } from "../core.js";

/**
 * Runs a workflow. If it fails, what it pushed onto the stack is undone in reverse order, and the first error is the one thrown;
 * failures of undoing go into its `suppressed`, and to the logger: the reason of an aborted signal has no place for them. A
 * workflow that could not be undone has had its effect.
 */
export async function withRollback<T>(core: Core, workflow: (rollback: RollbackStack) => Promise<T>): Promise<T> {
  const rollback = new RollbackStack();
  try {
    return await workflow(rollback);
  } catch (error) {
    const failures = await rollback.run();
    for (const failure of failures) {
      const { endpoint, options } = core.connection;
      log(options.logger, "warn", "rolling back a failed workflow failed", { endpoint, error: String(failure) });
    }
    throw failures.length > 0 && CriError.is(error) ? error.inDoubt().withSuppressed(failures) : error;
  }
}
