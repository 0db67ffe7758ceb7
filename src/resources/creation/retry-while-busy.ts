import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import type { Budget } from "../../rpcs/budget.js";
import { isBusy } from "../../rpcs/error-messages/busy.js";

/** The maximum number of attempts of a call without a time limit. */
const maxAttempts = 60;

/**
 * Makes a call that stops or removes a container or pod, and retries it while the runtime is busy with the object. containerd
 * completes a StartContainer whose caller has disconnected, and refuses to remove the container until then. It also needs some
 * time to process the exit of a container.
 */
export async function retryWhileBusy(budget: Budget, call: (options: CallOptions) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const options = budget.options();
    try {
      return await call(options);
    } catch (error) {
      const pauseMs = Math.min(500, 25 * attempt);
      const canRetry = (budget.leftMs() ?? Number.POSITIVE_INFINITY) > pauseMs && attempt < maxAttempts;
      if (!canRetry || !CriError.is(error) || !isBusy(error.details)) throw error;
      await budget.sleep(pauseMs);
    }
  }
}
