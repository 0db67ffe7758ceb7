import { CriError } from "../../errors.js";
import { ContainerState, type ContainerStatus } from "../../proto.js";
import type { Budget } from "../../rpcs/budget.js";
import { containerStatus, startContainer } from "../../rpcs/containers.js";
import { isStarting } from "../../rpcs/error-messages/busy.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";

/** The maximum number of ContainerStatus calls after a lost reply while the runtime is down. */
const maxStatusAttempts = 30;

/** The maximum number of StartContainer calls if each reply is lost. */
const maxStarts = 3;

/** How long to wait for a start that continues after its connection was lost. containerd needs some seconds to clean up. */
const inProgressTimeoutMs = 30_000;

/**
 * Starts the container exactly once (StartContainer), even if the reply is lost: a runtime refuses a second start. After a lost
 * reply, the state of the container decides:
 *
 * | state | meaning |
 * |---|---|
 * | running, exited | the container was started, unless it exited because it could not be started |
 * | created | the call can be sent again, or the first start is still in progress |
 */
export const startReconciled = asWorkflow(
  { name: "container.start", subject: ([, id]) => ({ containerId: id }) },
  startOnce,
);

async function startOnce(connection: Connection, id: string, budget: Budget): Promise<void> {
  const outcome: { lostReply?: CriError } = {};
  try {
    await reconcile(connection, id, budget, outcome);
  } catch (error) {
    const mayHaveStarted = outcome.lostReply && error !== budget.caller.signal?.reason;
    throw mayHaveStarted && CriError.is(error) ? error.inDoubt() : error;
  }
}

/**
 * Starts the container, and reads its state after a lost reply.
 *
 * @param outcome gets the error of the first start whose reply was lost
 */
async function reconcile(
  connection: Connection,
  id: string,
  budget: Budget,
  outcome: { lostReply?: CriError },
): Promise<void> {
  const giveUpAt = performance.now() + inProgressTimeoutMs;
  for (let round = 1; ; round++) {
    const options = budget.options();
    let failure: unknown;
    try {
      return await startUncancelled(connection, id, budget);
    } catch (error) {
      failure = error;
    }
    if (options.signal?.aborted || !CriError.is(failure)) throw failure;
    const isLost = CriError.is(failure, "UNAVAILABLE", "INTERNAL", "CANCELLED") && failure.mayHaveTakenEffect;
    // The call was refused or never sent, so the caller can safely call again.
    if (!isLost && !outcome.lostReply) throw failure;
    outcome.lostReply ??= failure;
    const { lostReply } = outcome;
    const isInProgress = isStarting(failure.details);
    if (isInProgress && performance.now() > giveUpAt) throw lostReply;
    const status = await statusAfterOutage(connection, id, budget, lostReply);
    if (status.state === ContainerState.CONTAINER_RUNNING) return;
    if (status.state === ContainerState.CONTAINER_EXITED) {
      if (status.reason !== startError) return;
      throw couldNotStart(lostReply, status);
    }
    const mayRepeat = isInProgress || (isLost && round < maxStarts);
    if (status.state !== ContainerState.CONTAINER_CREATED || !mayRepeat) throw failure;
    await budget.sleep(Math.min(500, 50 * round));
  }
}

/**
 * Calls StartContainer without cancellation: the caller's signal and time limit end only the wait, and the runtime completes the
 * start. If a start is cancelled midway, containerd takes seconds to clean up. containerd 1.6 may then report a container as exited
 * while its process runs, and cannot remove it.
 */
async function startUncancelled(connection: Connection, id: string, budget: Budget): Promise<void> {
  const { signal, retry, metadata } = budget.options();
  signal?.throwIfAborted();
  const done = new AbortController();
  const sent = startContainer(connection, id, { retry, metadata }).finally(() => done.abort());
  sent.catch(() => {});
  try {
    await budget.sleep(Number.POSITIVE_INFINITY, done.signal);
  } catch (error) {
    // Closing the client also fails the call, and the error of the call says whether it was sent.
    if (CriError.is(error, "CLIENT_CLOSED") && error !== signal?.reason) return sent;
    throw error;
  }
  if (done.signal.aborted) return sent;
  throw new CriError({
    code: "DEADLINE_EXCEEDED",
    message: "the container was not started within the time limit; the runtime may still start it",
    method: "RuntimeService/StartContainer",
    endpoint: connection.endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

/**
 * The reason that containerd reports for a container whose start failed, including starts that failed because their caller
 * disconnected.
 */
export const startError = "StartError";

function couldNotStart(lost: CriError, { message }: ContainerStatus): CriError {
  const { code, method, endpoint, attempts, details } = lost;
  return new CriError({
    code,
    message: `${details}; the container could not be started; create a new one${message && `: ${message}`}`,
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
  for (let attempt = 1; ; attempt++) {
    if ((budget.leftMs() ?? 1) <= 0) throw failure;
    const options = budget.options();
    try {
      return (await containerStatus(connection, id, false, options)).status;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (attempt === maxStatusAttempts || !CriError.is(error, "UNAVAILABLE")) throw failure;
      await budget.sleep(Math.min(1_000, 50 * attempt));
    }
  }
}
