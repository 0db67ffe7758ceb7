import type { CriClient } from "k8s-cri-client";
import {
  InvalidManifestError,
  type NodeConfig,
  type PodContainerStatus,
  type PodStatus,
  planPod,
  type RunningPod,
  type RunningPodEvent,
  removePod,
} from "k8s-cri-client/kubernetes";
import { podUid } from "../api/names.js";
import { namedBy } from "../api/types.js";
import type { PodState, PodView, Run } from "./reconcile.js";
import type { Kept } from "./store.js";

export interface TaskPodOptions {
  cri: CriClient;
  node: NodeConfig;
  /** The key of the task. */
  key: string;
  state: PodState;
  /** Is called after each change of {@link TaskPod.state}. */
  onChange: () => void;
  onEvent: (event: RunningPodEvent) => void;
}

/** The pod of one task on this node. */
export class TaskPod {
  state: PodState;
  /** When it was reported last, in milliseconds since the epoch. */
  reportedAt = 0;
  #pod: RunningPod | undefined;
  #failures = 0;

  constructor(private readonly options: TaskPodOptions) {
    this.state = options.state;
  }

  /** Starts a pod, continues with it if it runs already, or replaces the pod of another run. */
  async start(run: Run, { taskUid, template }: Kept, logTailLines: number): Promise<void> {
    await this.release();
    const { cri, node, key } = this.options;
    const uid = podUid(taskUid, run.revision, run.attempt);
    try {
      const metadata = { ...template.metadata, ...namedBy(key), uid };
      const plan = planPod({ ...template, metadata } as Parameters<typeof planPod>[0], { node });
      const pod = await plan.run(cri);
      this.#pod = pod;
      this.#failures = 0;
      this.state = { type: "started", run, view: viewOf(pod, pod.status(), undefined) };
      void this.#follow(pod, run, logTailLines);
      void this.#forward(pod);
    } catch (error) {
      const message = error instanceof Error ? error.message.slice(0, 1_000) : String(error);
      if (error instanceof InvalidManifestError) {
        this.state = { type: "refused", run, reason: "InvalidTemplate", message };
      } else {
        const retryAt = Date.now() + Math.min(1_000 * 2 ** this.#failures++, 60_000);
        this.state = { type: "refused", run, reason: "CannotStart", message, retryAt };
      }
    }
    this.options.onChange();
  }

  /** Stops the pod and removes everything of it, also if another process has started it. */
  async remove(): Promise<void> {
    const { cri, node, key } = this.options;
    if (this.#pod) await this.#pod.dispose();
    else await removePod(cri, namedBy(key), { node });
    this.#pod = undefined;
    this.state = { type: "none" };
  }

  /** Leaves the pod as it is: the next process continues with it. */
  async release(): Promise<void> {
    const pod = this.#pod;
    this.#pod = undefined;
    this.state = { type: "unknown" };
    await pod?.release();
  }

  async #follow(pod: RunningPod, run: Run, logTailLines: number): Promise<void> {
    let logTail: string | undefined;
    let seen = "";
    try {
      for await (const status of pod.statuses()) {
        const ends = `${pod.columns().restarts} ${status.phase}`;
        if (ends !== seen && logTailLines > 0) logTail = await tailOf(pod, logTailLines);
        seen = ends;
        if (this.#pod !== pod) return;
        this.state = { type: "started", run, view: viewOf(pod, status, logTail) };
        this.options.onChange();
      }
    } catch {
      // The client is closed.
    }
  }

  async #forward(pod: RunningPod): Promise<void> {
    for await (const event of pod.events()) this.options.onEvent(event);
  }
}

function viewOf(pod: RunningPod, status: PodStatus, logTail: string | undefined): PodView {
  const { status: reason, restarts } = pod.columns();
  const containers = [...status.initContainerStatuses, ...status.containerStatuses];
  const ends = containers.flatMap(({ name, state, lastState }) => {
    const end = state.terminated ?? lastState?.terminated;
    return end ? [{ name, ...end }] : [];
  });
  const isFinished = status.phase === "Succeeded" || status.phase === "Failed";
  const finishedAt = Math.max(...ends.map((end) => end.finishedAt?.getTime() ?? 0));
  const message = status.message ?? containers.map(messageOf).find((text) => text !== undefined);
  return {
    phase: status.phase === "Unknown" ? "Running" : status.phase,
    reason,
    ready: status.conditions.Ready,
    restarts,
    ...(message && { message: message.slice(0, 1_000) }),
    ...(ends.length > 0 && { exitCodes: Object.fromEntries(ends.map(({ name, exitCode }) => [name, exitCode])) }),
    ...(status.startTime && { startedAt: status.startTime.toISOString() }),
    ...(isFinished && { finishedAt: new Date(finishedAt > 0 ? finishedAt : Date.now()).toISOString() }),
    ...(logTail && { logTail }),
  };
}

function messageOf({ name, state: { waiting, terminated } }: PodContainerStatus): string | undefined {
  const text = waiting?.message ?? terminated?.message;
  return text ? `${name}: ${text}` : undefined;
}

/** The last lines of each container, at most 8 KiB: a result is an object of the API server. */
async function tailOf(pod: RunningPod, tailLines: number): Promise<string> {
  const lines: string[] = [];
  try {
    for await (const { container, text } of pod.logs({ tailLines })) lines.push(`${container}: ${text}`);
  } catch {
    // A container that was never started has no log.
  }
  return lines.join("\n").slice(-8_192);
}
