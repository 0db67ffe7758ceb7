import type { Budget } from "../calls/budget.js";
import { isStarting } from "../calls/runtime-text.js";
import { CriError } from "../errors.js";
import type { CallOptions } from "../options.js";

/**
 * Removes a container or pod, waiting while the runtime is in the middle of a start: containerd finishes a StartContainer whose
 * caller has gone away, and until then refuses to remove the container.
 */
export async function removeSettled(budget: Budget, remove: (options: CallOptions) => Promise<void>): Promise<void> {
  for (let round = 1; ; round++) {
    const options = budget.options();
    try {
      return await remove(options);
    } catch (error) {
      const pauseMs = Math.min(500, 25 * round);
      const inTime = (budget.leftMs() ?? Number.POSITIVE_INFINITY) > pauseMs;
      if (!inTime || !CriError.is(error) || !isStarting(error.details)) throw error;
      await budget.sleep(pauseMs);
    }
  }
}
