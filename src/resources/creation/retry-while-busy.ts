import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import type { Budget } from "../../rpcs/budget.js";
import { isBusy } from "../../rpcs/error-messages/busy.js";

/** How often a call is repeated that has no limit of time. */
const mostRounds = 60;

/**
 * Stops or removes a container or pod, waiting while the runtime is in the middle of something: containerd finishes a
 * StartContainer whose caller has gone away, and until then refuses to remove the container; and it takes a moment to notice
 * that a process has ended.
 */
export async function retryWhileBusy(budget: Budget, call: (options: CallOptions) => Promise<void>): Promise<void> {
  for (let round = 1; ; round++) {
    const options = budget.options();
    try {
      return await call(options);
    } catch (error) {
      const pauseMs = Math.min(500, 25 * round);
      const inTime = (budget.leftMs() ?? Number.POSITIVE_INFINITY) > pauseMs && round < mostRounds;
      if (!inTime || !CriError.is(error) || !isBusy(error.details)) throw error;
      await budget.sleep(pauseMs);
    }
  }
}
