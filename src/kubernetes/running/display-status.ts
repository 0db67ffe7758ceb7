import type { PodContainerStatus, PodStatus } from "./pod-status.js";

/** The columns that `kubectl get pod` shows. */
export interface PodColumns {
  /** Ready containers and all containers: `1/2`. Sidecars count. */
  ready: string;
  /** `Running`, `Init:0/2`, `CrashLoopBackOff`, `Completed`, `Error`, `Terminating` and so on. */
  status: string;
  /** Restarts of all containers. */
  restarts: number;
}

/** Returns the columns that `kubectl get pod` shows for a pod. */
export function podColumns(pod: PodStatus): PodColumns {
  const { initContainerStatuses: inits, containerStatuses: mains } = pod;
  const counted = [...inits.filter(({ sidecar }) => sidecar), ...mains];
  const unfinished = firstUnfinishedInit(inits);
  const initializing = unfinished !== undefined && !pod.conditions.Initialized;
  return {
    ready: `${counted.filter(({ ready, state }) => ready && state.running).length}/${counted.length}`,
    status: statusOf(pod, unfinished, initializing),
    restarts: sum(initializing ? inits.slice(0, unfinished + 1) : counted),
  };
}

function sum(containers: readonly PodContainerStatus[]): number {
  return containers.reduce((total, { restartCount }) => total + restartCount, 0);
}

function statusOf(pod: PodStatus, unfinished: number | undefined, initializing: boolean): string {
  if (pod.terminating && pod.phase !== "Succeeded" && pod.phase !== "Failed") return "Terminating";
  const initial =
    unfinished === undefined ? pod.reason || pod.phase : initStatus(pod.initContainerStatuses, unfinished);
  return initializing ? initial : mainStatus(pod, initial);
}

function firstUnfinishedInit(inits: readonly PodContainerStatus[]): number | undefined {
  const index = inits.findIndex(({ sidecar, started, state }) => {
    if (state.terminated?.exitCode === 0) return false;
    return !(sidecar && started);
  });
  return index === -1 ? undefined : index;
}

function initStatus(inits: readonly PodContainerStatus[], index: number): string {
  const { waiting, terminated } = inits[index]?.state ?? {};
  if (terminated) return `Init:${terminated.reason || `ExitCode:${terminated.exitCode}`}`;
  if (waiting && waiting.reason !== "" && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
  return `Init:${index}/${inits.length}`;
}

function mainStatus({ conditions, containerStatuses }: PodStatus, initial: string): string {
  let status = initial;
  let running = false;
  // The first container decides, so it comes last.
  for (const { state, ready } of [...containerStatuses].reverse()) {
    const { waiting, terminated } = state;
    if (waiting?.reason) status = waiting.reason;
    else if (terminated) status = terminated.reason || `ExitCode:${terminated.exitCode}`;
    else if (ready && state.running) running = true;
  }
  if (status === "Completed" && running) return conditions.Ready ? "Running" : "NotReady";
  return status;
}
