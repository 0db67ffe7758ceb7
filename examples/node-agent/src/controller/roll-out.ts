/**
 * Decides which nodes may run a task's template now, and what the task's status says. Reads and changes nothing else.
 *
 * @module
 */
import { revisionOf } from "../api/names.js";
import {
  type Condition,
  isDeleted,
  type NodeTask,
  type NodeTaskResult,
  type NodeTaskStatus,
  type Phase,
  type ResultStatus,
} from "../api/types.js";

export interface RollOut {
  /** The results that get the current revision. */
  grants: NodeTaskResult[];
  status: NodeTaskStatus;
}

/** @param live the nodes whose agents renew their leases */
export function rollOut(
  task: NodeTask,
  results: readonly NodeTaskResult[],
  live: ReadonlySet<string>,
  now: Date,
): RollOut {
  const revision = revisionOf(task.spec);
  const isLost = (node: string) => !live.has(node);
  const nodes = results.filter((result) => !isDeleted(result)).map((result) => stateOf(task, result, revision, isLost));
  const absent = absentNodes(task, results, live);
  return { grants: grantsOf(task, nodes).map(({ result }) => result), status: statusOf(task, nodes, absent, now) };
}

/** Counts the nodes that the task is for, and whose agents have not taken it yet. Only agents know the labels of their nodes. */
function absentNodes({ spec }: NodeTask, results: readonly NodeTaskResult[], live: ReadonlySet<string>): number {
  if (spec.nodes?.selector) return 0;
  const taken = new Set(results.map((result) => result.spec.node));
  return [...(spec.nodes?.names ?? live)].filter((node) => live.has(node) && !taken.has(node)).length;
}

interface NodeState {
  result: NodeTaskResult;
  lost: boolean;
  /** May run the current revision. */
  updated: boolean;
  /** What it reports about the revision that it may run. */
  status: ResultStatus | undefined;
  /** Its pod is ready. */
  available: boolean;
  /** Has done with the current revision what the mode asks for: is ready, or has finished. */
  settled: boolean;
}

function stateOf(
  task: NodeTask,
  result: NodeTaskResult,
  revision: string,
  isLost: (node: string) => boolean,
): NodeState {
  const { spec } = result;
  const lost = isLost(spec.node);
  const updated = spec.revision === revision;
  const status = result.status?.revision === spec.revision ? result.status : undefined;
  const available = status?.ready === true && !lost;
  const settled = updated && (task.spec.mode === "KeepRunning" ? available : status?.finishedAt !== undefined);
  return { result, lost, updated, status, available, settled };
}

function grantsOf({ spec }: NodeTask, nodes: readonly NodeState[]): NodeState[] {
  const settling = nodes.filter(({ updated, settled, lost }) => updated && !settled && !lost);
  let begin = (spec.concurrency ?? Number.POSITIVE_INFINITY) - settling.length;
  const unavailable = nodes.filter(({ result, available }) => result.spec.revision !== undefined && !available).length;
  let replace =
    spec.mode === "KeepRunning" ? maxUnavailable(spec.maxUnavailable, nodes.length) - unavailable : nodes.length;
  // Nodes without a ready pod lose nothing by a new one.
  const waiting = nodes.filter(({ updated, lost }) => !updated && !lost);
  waiting.sort((a, b) => Number(a.available) - Number(b.available));
  return waiting.filter(({ available }) => begin-- > 0 && (!available || replace-- > 0));
}

/** A part of all nodes is rounded up, as in a DaemonSet. */
function maxUnavailable(given: number | string, nodes: number): number {
  const percent = /^(\d+)%$/.exec(String(given))?.[1];
  return Math.max(1, percent === undefined ? Number(given) : Math.ceil((nodes * Number(percent)) / 100));
}

function statusOf(task: NodeTask, nodes: readonly NodeState[], absent: number, now: Date): NodeTaskStatus {
  const count = (test: (node: NodeState) => boolean) => nodes.filter(test).length;
  const inPhase = (phase: Phase) => count(({ status }) => status?.phase === phase);
  const isDone = nodes.length > 0 && absent === 0 && nodes.every(({ settled }) => settled);
  const finishedAt = nodes
    .map(({ status }) => status?.finishedAt ?? "")
    .sort()
    .at(-1);
  const failed = inPhase("Failed");
  return {
    observedGeneration: task.metadata?.generation ?? 0,
    nodes: nodes.length + absent,
    updated: count(({ updated }) => updated),
    ready: count(({ available }) => available),
    running: inPhase("Running"),
    succeeded: inPhase("Succeeded"),
    failed,
    ...(task.spec.mode === "Once" && isDone && finishedAt && { finishedAt }),
    conditions: [progress(nodes, absent, isDone), outcome(task, isDone, failed), troubles(nodes)].map((condition) =>
      withTransition(condition, task.status?.conditions, now),
    ),
  };
}

type NewCondition = Omit<Condition, "lastTransitionTime">;

function progress(nodes: readonly NodeState[], absent: number, isDone: boolean): NewCondition {
  if (isDone) return { type: "Progressing", status: "False", reason: "Settled", message: "all nodes are up to date" };
  if (nodes.length === 0) {
    return { type: "Progressing", status: "True", reason: "NoNodes", message: "no agent has taken the task" };
  }
  const notUpdated = nodes.filter(({ updated }) => !updated).length;
  const unsettled = nodes.filter(({ settled }) => !settled).length - notUpdated;
  const waiting = notUpdated + absent;
  const message = `of ${nodes.length + absent} nodes, ${unsettled} are at work and ${waiting} wait for their turn`;
  return { type: "Progressing", status: "True", reason: "RollingOut", message };
}

function outcome({ spec }: NodeTask, isDone: boolean, failed: number): NewCondition {
  if (!isDone) return { type: "Complete", status: "False", reason: "Progressing", message: "not on all nodes" };
  if (failed > 0) return { type: "Complete", status: "True", reason: "Failed", message: `failed on ${failed} nodes` };
  const reason = spec.mode === "KeepRunning" ? "Ready" : "Succeeded";
  return { type: "Complete", status: "True", reason, message: "on all nodes" };
}

function troubles(nodes: readonly NodeState[]): NewCondition {
  const found = nodes.flatMap(({ lost, status, result: { spec } }) => {
    if (lost) return [`${spec.node}: the agent does not answer`];
    if (status?.phase !== "Failed" && (status?.phase !== "Pending" || !status.message)) return [];
    return [`${spec.node}: ${[status.reason, status.message].filter(Boolean).join(": ")}`];
  });
  found.sort();
  if (found.length === 0)
    return { type: "Degraded", status: "False", reason: "AsExpected", message: "no node has failed" };
  const message = found.slice(0, 3).join("; ") + (found.length > 3 ? `; and ${found.length - 3} more` : "");
  return { type: "Degraded", status: "True", reason: "NodesFailed", message: message.slice(0, 1_000) };
}

/** Keeps the time of the last change of the status. */
function withTransition(condition: NewCondition, before: readonly Condition[] | undefined, now: Date): Condition {
  const last = before?.find(({ type }) => type === condition.type);
  const isSame = last?.status === condition.status;
  return { ...condition, lastTransitionTime: isSame ? last.lastTransitionTime : now.toISOString() };
}
