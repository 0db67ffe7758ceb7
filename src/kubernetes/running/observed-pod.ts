/** The pod's sandboxes and containers as the runtime reports them at one time. */
export interface ObservedPod {
  /** The latest first. */
  readonly sandboxes: readonly ObservedSandbox[];
  /** All attempts of all containers, the latest first. */
  readonly containers: readonly ObservedContainer[];
}

export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  /** Milliseconds since the epoch, by the runtime's clock. */
  readonly createdAt: number;
  /** Empty for pods in the node's network. */
  readonly podIPs: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly sandboxId: string;
  readonly state: "created" | "running" | "exited" | "unknown";
  /** Milliseconds since the epoch, by the runtime's clock; 0 if it has not happened. */
  readonly createdAt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  /** Of an exited container: the runtime's reason, such as `Completed`, `Error` or `OOMKilled`. */
  readonly reason: string;
  /** Of an exited container: its termination message, else the runtime's explanation. */
  readonly message: string;
  readonly image: string;
  readonly imageId: string;
  readonly logPath: string;
}

/** Returns all attempts of one container, the latest first. */
export function attemptsOf({ containers }: ObservedPod, name: string): ObservedContainer[] {
  return containers.filter((container) => container.name === name);
}

/** Returns the latest attempt of a container. */
export function latestOf({ containers }: ObservedPod, name: string): ObservedContainer | undefined {
  return containers.find((container) => container.name === name);
}

/** Returns the number of the next attempt of a container. */
export function nextAttemptOf(pod: ObservedPod, name: string): number {
  return Math.max(-1, ...attemptsOf(pod, name).map(({ attempt }) => attempt)) + 1;
}
