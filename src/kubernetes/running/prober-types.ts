import type { ContainerPlan } from "../planning/pod-plan-types.js";

export type ProbeKind = "startup" | "liveness" | "readiness";

/** The outcome of one probe. `message` contains what the probe saw, shortened; never environment values. */
export interface ProbeResult {
  kind: ProbeKind;
  success: boolean;
  message: string;
  /** Whether the threshold was reached and the state of the container changed. */
  changed: boolean;
}

/** What a prober needs to reach one running attempt of a container. */
export interface ProbeTarget {
  container: ContainerPlan;
  containerId: string;
  podIPs: readonly string[];
  /** Runs a command in the container; rejects if the runtime fails. */
  execSync(
    command: readonly string[],
    timeoutSeconds: number,
    signal: AbortSignal,
  ): Promise<{ exitCode: number; output: string }>;
}

/**
 * Runs all probes of one attempt until the signal aborts, as a kubelet does: startup first, then liveness and readiness.
 * `onResult` gets each result in order. Resolves when the signal aborted; never rejects.
 */
export type RunProbes = (
  target: ProbeTarget,
  onResult: (result: ProbeResult) => void,
  signal: AbortSignal,
) => Promise<void>;
