import { CriError } from "../../src/index.js";
import type { RpcName } from "../../src/testing/index.js";
import type { Expectations } from "./expectations.js";
import type { Operation } from "./operation.js";
import type { ServerTruth } from "./server-truth.js";

/** What operations are checked against, and where violations go. */
interface Evidence {
  readonly truth: ServerTruth;
  readonly expectations: Expectations;
  violate(message: string): void;
}

/** How late a promise may settle on a machine that has other things to do. */
export const marginMs = 5_000;

/** How long a creation may look for what it left, once it was given up. */
const cleanUpMs = 3_500;

/** How long a workflow may take to undo a step, beyond everything else. */
const undoMs = 15_000;

/** What changes something, besides the two that make something: those are judged by what is there. */
const changes: ReadonlySet<RpcName> = new Set([
  "StartContainer",
  "StopContainer",
  "RemoveContainer",
  "StopPodSandbox",
  "RemovePodSandbox",
  "UpdateContainerResources",
  "ReopenContainerLog",
  "ExecSync",
]);

/** What may be sent again only after a look at what came of it. */
const lookFirst: ReadonlyMap<RpcName, readonly RpcName[]> = new Map<RpcName, readonly RpcName[]>([
  ["RunPodSandbox", ["ListPodSandbox", "StreamPodSandboxes"]],
  ["CreateContainer", ["ListContainers", "StreamContainers"]],
  ["StartContainer", ["ContainerStatus"]],
]);

/** What must hold of every operation at the moment when it settles. */
export function checkSettled(operation: Operation, evidence: Evidence): void {
  checkReason(operation, evidence);
  checkBudget(operation, evidence);
  checkRepeats(operation, evidence);
  checkDenial(operation, evidence);
  checkCleanUp(operation, evidence);
  evidence.expectations.compare(evidence.truth, (message) => evidence.violate(message));
}

/** A rejection is a CriError, or the reason of the caller's own signal; aborted beforehand, nothing is sent. */
function checkReason(operation: Operation, evidence: Evidence): void {
  if (operation.how.abort === "before") {
    if (!operation.cancelled)
      evidence.violate(`${operation} was aborted beforehand, and ${operation.describeOutcome()}`);
    if (operation.calls.length > 0) evidence.violate(`${operation} was aborted beforehand, and called the runtime`);
  }
  const { rejected, cancelled, reason } = operation;
  if (!rejected || cancelled || CriError.is(reason)) return;
  evidence.violate(`${operation} rejected with what is neither a CriError nor its signal's reason: ${stackOf(reason)}`);
}

function checkBudget(operation: Operation, evidence: Evidence): void {
  const lateMs = (operation.settledAt ?? 0) - operation.dueAt;
  const allowedMs = overtimeMs(operation, evidence) + marginMs;
  if (lateMs > allowedMs) evidence.violate(`${operation} settled ${Math.round(lateMs)} ms after its time was up`);
}

/** How long an operation may go on when its time is up. */
export function overtimeMs(operation: Operation, evidence: Evidence): number {
  if (!/^(pods|containers)\.(run|create|restart)/.test(operation.name)) return 0;
  // A runtime that works removes things at once.
  return cleanUpMs + (evidence.truth.troublesOf(operation).length > 0 ? undoMs : 0);
}

/** Nothing that makes something, or runs something, is repeated blindly. */
function checkRepeats(operation: Operation, evidence: Evidence): void {
  const looked = new Set<RpcName>();
  for (const { record } of operation.calls) {
    const { rpc } = record;
    const looks = lookFirst.get(rpc) ?? [];
    if (rpc === "ExecSync" || looks.length > 0) {
      if (looked.has(rpc) && !looks.some((look) => looked.has(look)))
        evidence.violate(`${operation} repeated ${rpc} without a look`);
      for (const look of looks) looked.delete(look);
    }
    looked.add(rpc);
  }
}

/** `mayHaveTakenEffect: false` is a promise. Asked again at the end, for what happens later counts as well. */
export function checkDenial(operation: Operation, evidence: Evidence): void {
  const { reason, settledAt = 0 } = operation;
  if (!operation.deniesEffect || !CriError.is(reason)) return;
  for (const { kind, id, lastSeenAt } of evidence.truth.madeBy(operation)) {
    if (lastSeenAt >= settledAt) evidence.violate(`${operation} says that it had no effect, and made ${kind} ${id}`);
  }
  const rpc = reason.method?.split("/")[1];
  // A creation that was undone has removed things; a restart that failed may have stopped the old container.
  if (rpc === undefined && /^(pods|containers)\.(run|create|restart)/.test(operation.name)) return;
  for (const { record } of operation.calls) {
    const concerns = rpc === undefined ? changes.has(record.rpc) : record.rpc === rpc && changes.has(record.rpc);
    if (concerns && evidence.truth.tookEffect(record))
      evidence.violate(`${operation} says that it had no effect, and ${record.rpc} had one`);
  }
}

/**
 * A creation that was cancelled or ran out of time leaves nothing, unless something kept it from seeing or removing it; nor does one
 * whose container could not be started.
 */
function checkCleanUp(operation: Operation, evidence: Evidence): void {
  const { reason, settledAt = 0, dueAt } = operation;
  const ranOut = CriError.is(reason, "DEADLINE_EXCEEDED") && settledAt >= dueAt - 10;
  const isUndone = CriError.is(reason) && reason.method === "RuntimeService/StartContainer";
  if (!operation.cancelled && !ranOut && !isUndone) return;
  if (operation.closedAt !== undefined || evidence.truth.troublesOf(operation).length > 0) return;
  const lastLook = operation.calls.findLast(({ record }) => /^(List|Stream)(PodSandbox|Container)/.test(record.rpc));
  for (const { present, firstSeenAt, kind, id } of evidence.truth.madeBy(operation)) {
    if (!present || (lastLook && firstSeenAt > lastLook.at)) continue;
    evidence.violate(`${operation} failed and left ${kind} ${id}, though nothing kept it from removing it`);
  }
}

function stackOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? String(reason)) : String(reason);
}
