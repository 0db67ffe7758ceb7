/** Why an event was emitted: the reasons of a kubelet's events. */
export type PodEventReason =
  | "Pulling"
  | "Pulled"
  | "Created"
  | "Started"
  | "Killing"
  | "BackOff"
  | "Failed"
  | "ErrImageNeverPull"
  | "Unhealthy"
  | "ProbeWarning"
  | "FailedPostStartHook"
  | "FailedPreStopHook"
  | "FailedMount"
  | "FailedCreatePodSandBox"
  | "FailedKillPod"
  | "SandboxChanged"
  | "DeadlineExceeded"
  | "Evicted";

/** Something that happened to a running pod, as `kubectl describe pod` lists it. */
export interface RunningPodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: PodEventReason;
  /** For people. Never contains values of environment variables or of Secrets. */
  readonly message: string;
  /** The name of the container; `undefined` for events of the whole pod. */
  readonly container: string | undefined;
  readonly at: Date;
}

const warnings: ReadonlySet<PodEventReason> = new Set<PodEventReason>([
  "BackOff",
  "Failed",
  "ErrImageNeverPull",
  "Unhealthy",
  "ProbeWarning",
  "FailedPostStartHook",
  "FailedPreStopHook",
  "FailedMount",
  "FailedCreatePodSandBox",
  "FailedKillPod",
  "Evicted",
]);

/** Creates an event. */
export function podEvent(
  reason: PodEventReason,
  message: string,
  container: string | undefined,
  now: number,
): RunningPodEvent {
  const isBackOffOfPull = reason === "BackOff" && message.startsWith("Back-off pulling");
  const type = warnings.has(reason) && !isBackOffOfPull ? "Warning" : "Normal";
  return { type, reason, message, container, at: new Date(now) };
}
