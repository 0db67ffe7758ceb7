import type { ContainerPlan } from "../../planning/pod-plan-types.js";

export type ProbeKind = "startup" | "liveness" | "readiness";

/** What one probe found. `message` says why, in the kubelet's words, and is empty if there is nothing to say. */
export interface ProbeOutcome {
  /** `warning` counts as success. `error` means that the probe could not run: it does not count at all. */
  outcome: "success" | "warning" | "failure" | "error";
  message: string;
}

/** The outcome of one probe of a container. */
export interface ProbeResult extends ProbeOutcome {
  kind: ProbeKind;
  /**
   * Whether the probe reached a threshold: `passing` is its new state. Before, readiness and startup probes are not passing and
   * liveness probes are.
   */
  changed: boolean;
  passing: boolean;
}

/** One running attempt of a container, as probes and hooks reach it. */
export interface ProbeTarget {
  container: ContainerPlan;
  /** The start of the attempt. `initialDelaySeconds` counts from here. */
  startedAt: Date;
  /** Addresses of the pod. HTTP, TCP and gRPC probes use the first one. */
  podIPs: readonly string[];
  /**
   * Runs a command in the container: ExecSync, after the plan expanded `$(VAR)`. A timeout of 0 is no timeout. Rejects with
   * `COMMAND_TIMED_OUT` or if the command cannot run.
   */
  execSync(
    command: readonly string[],
    timeoutSeconds: number,
    signal: AbortSignal,
  ): Promise<{ exitCode: number; output: string }>;
  /** Runs one probe, and publishes it. @defaultValue runs it */
  publish?(kind: ProbeKind, probe: () => Promise<ProbeOutcome>): Promise<ProbeOutcome>;
}

/** A connection failed. The prober reports it as a failure. */
export function failure(message: string): ProbeOutcome {
  return { outcome: "failure", message };
}

/** The most that a probe reads of a response or of a command's output. The kubelet's limit. */
export const maxProbeOutputBytes = 10 * 1024;
