import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { removeContainer, removePod } from "../../resources/stopping.js";
import { startBudget } from "../../rpcs/budget.js";
import type { StoppableContainer } from "./container-stopper.js";
import type { ObservedPod } from "./observed-pod.js";
import type { PodContext } from "./runner-context.js";
import { stopEverything } from "./stop-pod.js";

/** A pod to stop and remove. */
export interface RemovePodRequest {
  readonly containers: readonly StoppableContainer[];
  readonly podGraceSeconds: number;
  readonly gracePeriodSeconds: number | undefined;
  /** Reads the state of the pod. */
  observe(): Promise<ObservedPod>;
  /** Removes the files of the pod. */
  removeFiles(): Promise<void>;
}

/**
 * How often to poll for objects that appear while the pod is removed: the runtime may still complete a creation whose caller has
 * ended.
 */
const maxRounds = 5;

/**
 * Stops a pod, and removes its containers, its sandboxes and, if nothing uses them any more, its files. A step that fails does not
 * keep the others from being done.
 *
 * @returns the errors of the steps that failed
 */
export async function removeEverything(
  context: PodContext,
  request: RemovePodRequest,
  options: CallOptions & { signal: AbortSignal },
): Promise<unknown[]> {
  const { connection } = context.client;
  let failures: unknown[] = [];
  for (let round = 1; round <= maxRounds; round++) {
    const observed = await request.observe().catch((error: unknown) => failures.push(error) && undefined);
    if (!observed) return failures;
    if (observed.sandboxes.length === 0 && observed.containers.length === 0) {
      await request.removeFiles().catch((error: unknown) => void failures.push(error));
      return failures;
    }
    const podIPs = observed.sandboxes[0]?.podIPs ?? [];
    failures = await stopEverything(context, { ...request, observed, podIPs }, options);
    const attempt = (work: Promise<void>) => work.catch((error: unknown) => void failures.push(error));
    for (const { id } of observed.containers) {
      await attempt(removeContainer(connection, id, 0, startBudget(connection, options, undefined)));
    }
    for (const { id } of observed.sandboxes) {
      await attempt(removePod(connection, id, () => 0, startBudget(connection, options, undefined)));
    }
    if (failures.length > 0) return failures;
  }
  const message = `containers of the pod keep appearing, after ${maxRounds} rounds of removal; does another program create them?`;
  return [new CriError({ code: "ABORTED", message, endpoint: connection.endpoint })];
}
