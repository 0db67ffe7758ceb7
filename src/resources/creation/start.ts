import { CriError } from "../../errors.js";
import { ContainerState, type ContainerStatus } from "../../proto.js";
import type { Budget } from "../../rpcs/budget.js";
import { containerStatus, startContainer } from "../../rpcs/containers.js";
import { isStarting } from "../../rpcs/error-messages/busy.js";
import type { Connection } from "../../transport/connection.js";

/** How often a start whose answer was lost is looked into while the runtime is away. */
const looks = 30;

/** How often a start is sent when its answer is lost time and again. */
const attempts = 3;

/** How long a start that goes on without its caller is waited for: containerd takes some seconds to clean up after itself. */
const underWayTimeoutMs = 30_000;

/**
 * StartContainer, which a runtime refuses the second time. After a lost answer the container's state tells: running or exited
 * means that the start took place (unless it exited because it could not be started), created that it may be sent again, or
 * that the first one is still under way.
 */
export async function startReconciled(connection: Connection, id: string, budget: Budget): Promise<void> {
  const doubt: { lost?: CriError } = {};
  try {
    await reconcile(connection, id, budget, doubt);
  } catch (error) {
    const mayHaveStarted = doubt.lost && error !== budget.caller.signal?.reason;
    throw mayHaveStarted && CriError.is(error) ? error.inDoubt() : error;
  }
}

/** @param doubt gets the failure of the first start whose answer was lost */
async function reconcile(
  connection: Connection,
  id: string,
  budget: Budget,
  doubt: { lost?: CriError },
): Promise<void> {
  const giveUpAt = performance.now() + underWayTimeoutMs;
  for (let round = 1; ; round++) {
    const options = budget.options();
    let failure: unknown;
    try {
      return await startUninterrupted(connection, id, budget);
    } catch (error) {
      failure = error;
    }
    if (options.signal?.aborted || !CriError.is(failure)) throw failure;
    const isLost = CriError.is(failure, "UNAVAILABLE", "INTERNAL", "CANCELLED") && failure.mayHaveTakenEffect;
    // Refused; or nothing went out: there is nothing to look into, and the caller can call again.
    if (!isLost && !doubt.lost) throw failure;
    doubt.lost ??= failure;
    const { lost } = doubt;
    const underWay = isStarting(failure.details);
    if (underWay && performance.now() > giveUpAt) throw lost;
    const status = await statusAfterOutage(connection, id, budget, lost);
    if (status.state === ContainerState.CONTAINER_RUNNING) return;
    if (status.state === ContainerState.CONTAINER_EXITED) {
      if (status.reason !== startError) return;
      throw couldNotStart(lost, status);
    }
    const mayRepeat = underWay || (isLost && round < attempts);
    if (status.state !== ContainerState.CONTAINER_CREATED || !mayRepeat) throw failure;
    await budget.sleep(Math.min(500, 50 * round));
  }
}

/**
 * StartContainer that the runtime may finish whatever becomes of the caller, whose signal and time limit end the waiting only.
 * A containerd that loses its caller in the middle of a start takes seconds to clean up, and 1.6 may be left with a container
 * that it takes for exited, while its process runs, and cannot remove.
 */
async function startUninterrupted(connection: Connection, id: string, budget: Budget): Promise<void> {
  const { signal, retry, metadata } = budget.options();
  signal?.throwIfAborted();
  const done = new AbortController();
  const sent = startContainer(connection, id, { retry, metadata }).finally(() => done.abort());
  sent.catch(() => {});
  try {
    await budget.sleep(Number.POSITIVE_INFINITY, done.signal);
  } catch (error) {
    // The client was closed, and the call with it, which knows whether it had been sent.
    if (CriError.is(error, "CLIENT_CLOSED") && error !== signal?.reason) return sent;
    throw error;
  }
  if (done.signal.aborted) return sent;
  throw new CriError({
    code: "DEADLINE_EXCEEDED",
    message: "the container was not started in time; the runtime goes on starting it",
    method: "RuntimeService/StartContainer",
    endpoint: connection.endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

/** The reason that containerd gives a container whose start failed, also when it failed because the caller went away. */
const startError = "StartError";

function couldNotStart(lost: CriError, { message }: ContainerStatus): CriError {
  const { code, method, endpoint, attempts, details } = lost;
  return new CriError({
    code,
    message: `${details}; the container could not be started and must be created anew${message && `: ${message}`}`,
    method,
    endpoint,
    attempts,
    mayHaveTakenEffect: true,
    cause: lost,
  });
}

async function statusAfterOutage(
  connection: Connection,
  id: string,
  budget: Budget,
  failure: unknown,
): Promise<ContainerStatus> {
  for (let look = 1; ; look++) {
    if ((budget.leftMs() ?? 1) <= 0) throw failure;
    const options = budget.options();
    try {
      return (await containerStatus(connection, id, false, options)).status;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (look === looks || !CriError.is(error, "UNAVAILABLE")) throw failure;
      await budget.sleep(Math.min(1_000, 50 * look));
    }
  }
}
