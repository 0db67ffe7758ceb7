/**
 * Decides what the agent does next for one task. Reads and changes nothing else, so that every case is a test.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { Mode, Phase, ResultStatus } from "../api/types.js";

/** What the API server wants on this node. */
export interface Desired {
  mode: Mode;
  intervalMs: number;
  generation: number;
  /** The revision of the task's own template. */
  revision: string;
}

/** What there is now. */
export interface Observed {
  /** The result as last seen or written. */
  result: { revision: string | undefined; status: ResultStatus | undefined; isDeleted: boolean } | undefined;
  pod: PodState;
  /** The revision whose template this node has kept, so that it can run although the task has another one now. */
  keptRevision: string | undefined;
  /** When the last report was written. Times are in milliseconds since the epoch. */
  reportedAt: number;
  now: number;
}

/** What this process knows about the pod of a task. */
export type PodState =
  /** An earlier process may have left one. */
  | { type: "unknown" }
  | { type: "none" }
  /** The pod could not be started. Without `retryAt`, another template is needed. */
  | { type: "refused"; run: Run; reason: string; message: string; retryAt?: number }
  | { type: "started"; run: Run; view: PodView };

/** One attempt at running a template. */
export interface Run {
  revision: string;
  attempt: number;
}

/** The part of a pod's state that is reported. */
export type PodView = Omit<ResultStatus, "observedGeneration" | "revision" | "attempts">;

export type Action =
  | { type: "createResult" }
  | { type: "start"; run: Run }
  /** Stops and removes the pod, whichever process started it. */
  | { type: "removePod" }
  | { type: "report"; status: ResultStatus }
  /** Gives the result up: nothing of the task is left on this node. */
  | { type: "releaseResult" }
  | { type: "wait"; until: number };

/** Returns the next action; `undefined` if all is as it should be. The agent decides again after each action. */
export function reconcile(desired: Desired | undefined, observed: Observed): Action | undefined {
  const { result, pod } = observed;
  if (desired === undefined || result?.isDeleted) {
    if (pod.type !== "none") return { type: "removePod" };
    return result && { type: "releaseResult" };
  }
  if (result === undefined) return { type: "createResult" };
  const { revision: granted, status: reported } = result;
  if (granted === undefined) return undefined;
  const has = pod.type === "started" || pod.type === "refused" ? pod.run : undefined;
  if (has && has.revision !== granted) return start(desired, observed, { revision: granted, attempt: 1 });
  switch (pod.type) {
    case "started":
      return report(desired, observed, pod.run, pod.view) ?? (isFinished(pod.view) ? { type: "removePod" } : undefined);
    case "refused": {
      const view: PodView = { phase: "Pending", reason: pod.reason, message: pod.message, ready: false, restarts: 0 };
      return report(desired, observed, pod.run, view) ?? retry(desired, observed, pod);
    }
    default:
      return next(desired, observed, granted, reported?.revision === granted ? reported : undefined);
  }
}

/** No pod of the granted revision is known: continues the attempt that was reported last, or begins the one after it. */
function next(
  desired: Desired,
  observed: Observed,
  revision: string,
  last: ResultStatus | undefined,
): Action | undefined {
  if (last === undefined || !isFinished(last)) {
    return start(desired, observed, { revision, attempt: Math.max(last?.attempts ?? 0, 1) });
  }
  // The agent was killed after it had reported the end of this attempt, and before it had removed the pod.
  if (observed.pod.type === "unknown") return { type: "removePod" };
  const at = nextStart(desired, last);
  if (at === undefined) return undefined;
  if (at > observed.now) return { type: "wait", until: at };
  return start(desired, observed, { revision, attempt: last.attempts + 1 });
}

/** Starting a pod replaces one of another revision or attempt. */
function start({ revision }: Desired, { keptRevision }: Observed, run: Run): Action | undefined {
  // If neither is the granted one, the task has just changed, and the change or the next grant is on its way.
  return run.revision === revision || run.revision === keptRevision ? { type: "start", run } : undefined;
}

function retry(desired: Desired, observed: Observed, pod: { run: Run; retryAt?: number }): Action | undefined {
  if (pod.retryAt === undefined) return undefined;
  return pod.retryAt > observed.now ? { type: "wait", until: pod.retryAt } : start(desired, observed, pod.run);
}

/** The shortest time between two reports about one task. */
export const reportIntervalMs = 1_000;

/** Reports a change. This comes first: what has not been reported is not removed. */
function report(
  { generation }: Desired,
  { result, reportedAt, now }: Observed,
  { revision, attempt }: Run,
  view: PodView,
): Action | undefined {
  const status: ResultStatus = { observedGeneration: generation, revision, attempts: attempt, ...view };
  if (isDeepStrictEqual(status, result?.status)) return undefined;
  // Most pods that are being created run a moment later, and then need one report only.
  const isNew = view.phase === "Pending" && view.message === undefined;
  const createdAt = isNew ? Date.parse(view.startedAt ?? "") || 0 : 0;
  const until = Math.max(reportedAt, createdAt) + reportIntervalMs;
  return until > now ? { type: "wait", until } : { type: "report", status };
}

/** When the attempt after a finished one starts: `undefined` for never. */
function nextStart({ mode, intervalMs }: Desired, last: ResultStatus): number | undefined {
  const [startedAt = 0, finishedAt = 0] = [last.startedAt, last.finishedAt].map((time) => Date.parse(time ?? "") || 0);
  switch (mode) {
    case "Once":
      return undefined;
    case "Interval":
      return startedAt + intervalMs;
    case "KeepRunning":
      // The back-off of a kubelet, which also forgets failures after ten minutes.
      if (finishedAt - startedAt > 600_000) return finishedAt;
      return finishedAt + Math.min(10_000 * 2 ** (last.attempts - 1), 300_000);
  }
}

export function isFinished({ phase }: { phase: Phase }): boolean {
  return phase === "Succeeded" || phase === "Failed";
}
