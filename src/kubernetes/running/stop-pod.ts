import type { CallOptions } from "../../options.js";
import { stopPod } from "../../resources/stopping.js";
import { startBudget } from "../../rpcs/budget.js";
import { type StoppableContainer, stopGracefully } from "./container-stopper.js";
import type { ObservedPod } from "./observed-pod.js";
import type { PodContext } from "./runner-context.js";
import { StopOrder } from "./stop-order.js";

/** A pod to stop. */
export interface StopPodRequest {
  readonly observed: ObservedPod;
  readonly containers: readonly StoppableContainer[];
  readonly podIPs: readonly string[];
  readonly podGraceSeconds: number;
  /** The caller's grace period. @defaultValue the pod's */
  readonly gracePeriodSeconds: number | undefined;
}

/**
 * Stops all containers of a pod, sidecars last, and then its sandboxes. A container that cannot be stopped does not keep the
 * others from being stopped.
 *
 * @returns the errors of the steps that failed
 */
export async function stopEverything(
  context: PodContext,
  request: StopPodRequest,
  options: CallOptions & { signal: AbortSignal },
): Promise<unknown[]> {
  const { observed, containers, ...rest } = request;
  const failures: unknown[] = [];
  const alive = observed.containers.filter(({ state }) => state === "running" || state === "unknown");
  const order = new StopOrder(containers, new Set(alive.map(({ name }) => name)), context.clock);
  await Promise.all(
    alive.map(async (one) => {
      const container = containers.find(({ name }) => name === one.name);
      try {
        await stopGracefully(context, { ...rest, observed: one, container, reason: undefined, order }, options);
      } catch (error) {
        failures.push(error);
      } finally {
        order.ended(one.name);
      }
    }),
  );
  for (const { id, ready } of observed.sandboxes) {
    if (!ready) continue;
    try {
      await stopPod(context.client.connection, id, () => 0, startBudget(context.client.connection, options, undefined));
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}
