import type { PodStatus } from "./pod-status.js";

/** How a pod ended. */
export interface PodExit {
  /** `Succeeded` if all containers succeeded. */
  phase: "Succeeded" | "Failed";
  /** Why the pod as a whole failed, such as `DeadlineExceeded`. */
  reason: string | undefined;
  /** The exit codes of the last attempts of all containers, by name. A container that was never started has none. */
  exitCodes: Readonly<Record<string, number>>;
}

/** Returns how a pod ended; `undefined` if it has not. */
export function exitOf({ phase, reason, initContainerStatuses, containerStatuses }: PodStatus): PodExit | undefined {
  if (phase !== "Succeeded" && phase !== "Failed") return undefined;
  const ends = [...initContainerStatuses, ...containerStatuses].flatMap(({ name, state, lastState }) => {
    const ended = state.terminated ?? lastState?.terminated;
    return ended ? [[name, ended.exitCode] as const] : [];
  });
  return { phase, reason, exitCodes: Object.fromEntries(ends) };
}
