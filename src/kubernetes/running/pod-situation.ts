import type { ContainerPlan, PodPlanParts } from "../planning/pod-plan-types.js";
import type { ObservedContainer, ObservedPod } from "./observed-pod.js";
import type { ProbeState, ProbeStates } from "./probe-states.js";

/** What `podActions` decides by. */
export interface PodSituation {
  readonly plan: Pick<PodPlanParts, "containers" | "pod" | "hostNetwork">;
  readonly observed: ObservedPod;
  readonly probes: Pick<ProbeStates, "of">;
}

/** What has to happen next with a pod. An empty list of everything means: nothing, until something changes. */
export interface PodActions {
  /** Stop all containers and sandboxes first. Without `createSandbox`, the pod is finished. */
  readonly stopPod: boolean;
  /** Create a sandbox with this attempt number. */
  readonly createSandbox: { readonly attempt: number } | undefined;
  /** The sandbox for the containers, if no new one has to be created. */
  readonly sandboxId: string | undefined;
  readonly stop: readonly ContainerStop[];
  /** Containers to start, in this order. */
  readonly start: readonly ContainerPlan[];
}

/** Why a container has to be stopped. */
export type StopReason = "FailedLivenessProbe" | "FailedStartupProbe" | "RestartAllContainers" | "UnknownState";

export interface ContainerStop {
  readonly container: ObservedContainer;
  readonly reason: StopReason;
}

/** Returns which probe requires that a running container is stopped. */
export function failedProbe(
  { startupProbe, livenessProbe }: ContainerPlan,
  state: Pick<ProbeState, "startup" | "liveness">,
): StopReason | undefined {
  if (startupProbe && state.startup === false) return "FailedStartupProbe";
  if (livenessProbe && !state.liveness) return "FailedLivenessProbe";
  return undefined;
}
