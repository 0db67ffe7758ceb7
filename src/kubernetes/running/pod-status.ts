/** What a pod does, in the words of the Kubernetes API. */
export interface PodStatus {
  phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
  /** Why the pod as a whole failed, such as `DeadlineExceeded`. */
  reason?: string | undefined;
  message?: string | undefined;
  /** Whether the pod is being stopped. */
  terminating: boolean;
  conditions: PodConditions;
  qosClass: "Guaranteed" | "Burstable" | "BestEffort";
  hostIPs: readonly string[];
  podIPs: readonly string[];
  startTime: Date | undefined;
  /** Init containers and sidecars. */
  initContainerStatuses: readonly PodContainerStatus[];
  containerStatuses: readonly PodContainerStatus[];
}

/** The conditions of a pod. */
export interface PodConditions {
  /** The pod has its sandbox and its network. */
  PodReadyToStartContainers: boolean;
  /** All init containers have completed, and all sidecars have started. */
  Initialized: boolean;
  /** All containers are ready. */
  ContainersReady: boolean;
  Ready: boolean;
}

/** The state of one container of a pod. */
export interface PodContainerStatus {
  name: string;
  /** A sidecar: an init container that restarts always. */
  sidecar: boolean;
  image: string;
  imageId: string;
  containerId: string | undefined;
  /** Whether the readiness probe passes. Without one, whether the container runs. */
  ready: boolean;
  /** Whether the container runs and its startup probe has passed. */
  started: boolean;
  restartCount: number;
  state: PodContainerState;
  /** The state of the attempt before. */
  lastState: PodContainerState | undefined;
}

/** Exactly one of the fields is set. */
export interface PodContainerState {
  waiting?: { reason: string; message?: string | undefined } | undefined;
  running?: { startedAt: Date } | undefined;
  terminated?: PodContainerTermination | undefined;
}

/** How an attempt of a container ended. */
export interface PodContainerTermination {
  exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, `ContainerStatusUnknown` or the runtime's own reason. */
  reason: string;
  /** The termination message. */
  message?: string | undefined;
  startedAt: Date | undefined;
  finishedAt: Date | undefined;
}
