import type { CallOptions } from "../../options.js";
import { stopContainer } from "../../resources/stopping.js";
import { startBudget } from "../../rpcs/budget.js";
import type { ContainerPlan } from "../planning/pod-plan-types.js";
import { runHook } from "./hooks.js";
import type { ObservedContainer } from "./observed-pod.js";
import type { StopReason } from "./pod-situation.js";
import { hookTarget, type PodContext } from "./runner-context.js";
import { messageOf } from "./start-failure.js";
import type { StopOrder } from "./stop-order.js";

/** The shortest grace period of a planned stop: the kubelet does not kill at once. */
const minGraceSeconds = 2;

/** What of a container's plan its end needs. */
export type StoppableContainer = Pick<
  ContainerPlan,
  "name" | "kind" | "restartPolicy" | "preStop" | "ports" | "startupProbe" | "livenessProbe"
>;

/** How to stop one container. */
export interface ContainerStopRequest {
  readonly observed: Pick<ObservedContainer, "id" | "name" | "state">;
  readonly container: StoppableContainer | undefined;
  /** The grace period of the pod. */
  readonly podGraceSeconds: number;
  readonly podIPs: readonly string[];
  /** For the event. */
  readonly reason: StopReason | undefined;
  /** The caller's grace period. @defaultValue the probe's that failed, else the pod's */
  readonly gracePeriodSeconds: number | undefined;
  /** @defaultValue the container does not wait for others */
  readonly order: StopOrder | undefined;
}

/**
 * Stops a container as a kubelet does: runs its `preStop` hook, waits for its turn, and sends StopContainer with what is left of
 * the grace period.
 */
export async function stopGracefully(
  context: PodContext,
  request: ContainerStopRequest,
  options: CallOptions & { signal: AbortSignal },
): Promise<void> {
  const { clock, emit, client } = context;
  const { observed, container, podIPs, order } = request;
  emit("Killing", stopMessage(request), observed.name);
  const total = graceOf(request);
  const startedAt = clock.now();
  // As in a kubelet, only whole seconds count. The clock may be set back meanwhile.
  const leftSeconds = () => total - Math.max(0, Math.floor((clock.now() - startedAt) / 1000));
  if (container?.preStop && total > 0 && observed.state === "running") {
    const target = hookTarget(context, container, observed, podIPs);
    try {
      await runHook(container.preStop, target, { timeoutMs: total * 1000, signal: options.signal, clock });
    } catch (error) {
      options.signal.throwIfAborted();
      emit("FailedPreStopHook", `PreStopHook failed: ${messageOf(error)}`, observed.name);
    }
  }
  if (order && leftSeconds() > 0) await order.waitForTurn(observed.name, leftSeconds() * 1000, options.signal);
  const shortest = Math.min(minGraceSeconds, request.gracePeriodSeconds ?? minGraceSeconds);
  const budget = startBudget(client.connection, options, undefined);
  await stopContainer(client.connection, observed.id, Math.max(shortest, leftSeconds()), budget);
}

function graceOf({ container, reason, gracePeriodSeconds, podGraceSeconds: ofPod }: ContainerStopRequest): number {
  if (gracePeriodSeconds !== undefined) return gracePeriodSeconds;
  if (reason === "FailedStartupProbe") return container?.startupProbe?.terminationGracePeriodSeconds ?? ofPod;
  if (reason === "FailedLivenessProbe") return container?.livenessProbe?.terminationGracePeriodSeconds ?? ofPod;
  return ofPod;
}

function stopMessage({ observed: { name }, container, reason }: ContainerStopRequest): string {
  const restarts = container?.restartPolicy !== "Never" ? ", will be restarted" : "";
  if (reason === "FailedStartupProbe") return `Container ${name} failed startup probe${restarts}`;
  if (reason === "FailedLivenessProbe") return `Container ${name} failed liveness probe${restarts}`;
  if (reason === "RestartAllContainers") return `Stopping container ${name}, all containers will be restarted`;
  return `Stopping container ${name}`;
}
