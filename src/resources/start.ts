import type { Budget } from "../calls/budget.js";
import { containerStatus, startContainer } from "../calls/containers.js";
import { CriError } from "../errors.js";
import { sleep } from "../internal/timer.js";
import { ContainerState } from "../proto.js";
import type { Connection } from "../transport/connection.js";

/** How often a start whose answer was lost is looked into while the runtime is away. */
const looks = 30;

/**
 * StartContainer, which a runtime refuses the second time. After a lost answer the container's state tells: running or exited
 * means that the start took place, created that it may be sent again.
 */
export async function startReconciled(connection: Connection, id: string, budget: Budget): Promise<void> {
  for (let round = 1; ; round++) {
    const options = budget.options();
    let failure: unknown;
    try {
      return await startContainer(connection, id, options);
    } catch (error) {
      failure = error;
    }
    if (options.signal?.aborted || !CriError.is(failure, "UNAVAILABLE", "INTERNAL", "CANCELLED")) throw failure;
    // Nothing went out: there is nothing to look into, and the caller can call again.
    if (!failure.mayHaveTakenEffect) throw failure;
    const state = await stateAfterOutage(connection, id, budget, failure);
    if (state === ContainerState.CONTAINER_RUNNING || state === ContainerState.CONTAINER_EXITED) return;
    if (state !== ContainerState.CONTAINER_CREATED || round === 3) throw failure;
  }
}

async function stateAfterOutage(
  connection: Connection,
  id: string,
  budget: Budget,
  failure: unknown,
): Promise<ContainerState> {
  for (let look = 1; ; look++) {
    if ((budget.leftMs() ?? 1) <= 0) throw failure;
    const options = budget.options();
    try {
      return (await containerStatus(connection, id, false, options)).status.state;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (look === looks || !CriError.is(error, "UNAVAILABLE")) throw failure;
      await sleep(Math.min(1_000, 50 * look), options.signal);
    }
  }
}
