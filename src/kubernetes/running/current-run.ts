import type { ContainerPlan } from "../planning/pod-plan-types.js";
import { latestOf, type ObservedContainer } from "./observed-pod.js";
import type { PodSituation } from "./pod-situation.js";
import type { ProbeStates } from "./probe-states.js";
import { restartsAll } from "./restart-rules.js";

/** The containers since all of them were last restarted together. */
export interface CurrentRun {
  readonly containers: readonly ContainerPlan[];
  readonly probes: Pick<ProbeStates, "of">;
  /** When a container exited with a code for which all containers restart; 0 if none did. */
  readonly restartedAt: number;
  /** Whether a main container was created in the current sandbox. */
  readonly hasMain: boolean;
  /** The latest attempt of a container. Of init containers and sidecars, only in the current sandbox. */
  statusOf(container: ContainerPlan): ObservedContainer | undefined;
}

/** Returns the containers since the current sandbox was created and all of them were last restarted together. */
export function currentRun({ plan, observed, probes }: PodSituation): CurrentRun {
  const { containers } = plan;
  const sandboxId = observed.sandboxes[0]?.id;
  const restartedAt = Math.max(
    0,
    ...observed.containers
      .filter(({ state, sandboxId: its }) => state === "exited" && its === sandboxId)
      .filter(({ name, exitCode }) => containers.some((one) => one.name === name && restartsAll(one, exitCode)))
      .map(({ finishedAt }) => finishedAt),
  );
  const statusOf = ({ name, kind }: ContainerPlan) => {
    const latest = latestOf(observed, name);
    if (!latest || isBeforeRestart(latest, restartedAt)) return undefined;
    return kind === "main" || latest.sandboxId === sandboxId ? latest : undefined;
  };
  const hasMain = containers.some((container) => {
    const status = container.kind === "main" ? statusOf(container) : undefined;
    return status !== undefined && status.sandboxId === sandboxId;
  });
  return { containers, probes, restartedAt, hasMain, statusOf };
}

/** Returns whether a container is older than the exit for which all containers restart. */
export function isBeforeRestart({ createdAt }: ObservedContainer, restartedAt: number): boolean {
  return createdAt < restartedAt;
}
