import { CriError } from "../../src/index.js";
import type { RpcName } from "../../src/testing/index.js";
import type { Expectations } from "./expectations.js";
import type { Operation } from "./operation.js";
import type { ServerTruth } from "./server-truth.js";

/** The state that operations are checked against, and the receiver of violations. */
interface Evidence {
  readonly truth: ServerTruth;
  readonly expectations: Expectations;
  reportViolation(message: string): void;
}

/** The time that a promise may settle late on a busy machine. */
export const marginMs = 5_000;

/** The time that a failed creation may search for the object that it may have left. */
const cleanUpMs = 3_500;

/** The additional time that a workflow may take to roll back. */
const rollbackMs = 15_000;

/** RPCs that change objects. Creations are not included, because they are checked by their objects. */
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

/** RPCs that may be repeated only after one of these lookups of their result. */
const lookupsBeforeRepeat: ReadonlyMap<RpcName, readonly RpcName[]> = new Map<RpcName, readonly RpcName[]>([
  ["RunPodSandbox", ["ListPodSandbox", "StreamPodSandboxes"]],
  ["CreateContainer", ["ListContainers", "StreamContainers"]],
  ["StartContainer", ["ContainerStatus"]],
]);

/** Checks all invariants of an operation when it settles. */
export function checkSettled(operation: Operation, evidence: Evidence): void {
  checkReason(operation, evidence);
  checkTimeLimit(operation, evidence);
  checkRepeats(operation, evidence);
  checkNoEffect(operation, evidence);
  checkCleanUp(operation, evidence);
  evidence.expectations.compare(evidence.truth, (message) => evidence.reportViolation(message));
}

/**
 * Checks that an operation rejects only with a CriError or with the reason of its own signal. If the signal was aborted before the
 * call, the operation must send nothing.
 */
function checkReason(operation: Operation, evidence: Evidence): void {
  if (operation.plan.abort === "before") {
    if (!operation.cancelled)
      evidence.reportViolation(`${operation} was aborted before the call, but ${operation.describeOutcome()}`);
    if (operation.calls.length > 0)
      evidence.reportViolation(`${operation} was aborted before the call, but called the runtime`);
  }
  const { rejected, cancelled, reason } = operation;
  if (!rejected || cancelled || CriError.is(reason)) return;
  evidence.reportViolation(
    `${operation} rejected with neither a CriError nor the reason of its signal: ${stackOf(reason)}`,
  );
}

function checkTimeLimit(operation: Operation, evidence: Evidence): void {
  const lateMs = (operation.settledAt ?? 0) - operation.dueAt;
  const allowedMs = overtimeMs(operation, evidence) + marginMs;
  if (lateMs > allowedMs) evidence.reportViolation(`${operation} settled ${Math.round(lateMs)} ms after its limit`);
}

/** Returns how long an operation may continue after its limit. */
export function overtimeMs(operation: Operation, evidence: Evidence): number {
  if (!/^(pods|containers)\.(run|create|restart)/.test(operation.name)) return 0;
  // A working runtime removes objects at once, so only a disturbed operation needs time to roll back.
  return cleanUpMs + (evidence.truth.disturbancesOf(operation).length > 0 ? rollbackMs : 0);
}

/** Checks that no creation, start or command is repeated without a lookup. */
function checkRepeats(operation: Operation, evidence: Evidence): void {
  const seen = new Set<RpcName>();
  for (const { record } of operation.calls) {
    const { rpc } = record;
    const lookups = lookupsBeforeRepeat.get(rpc) ?? [];
    if (rpc === "ExecSync" || lookups.length > 0) {
      if (seen.has(rpc) && !lookups.some((lookup) => seen.has(lookup)))
        evidence.reportViolation(`${operation} repeated ${rpc} without a lookup`);
      for (const lookup of lookups) seen.delete(lookup);
    }
    seen.add(rpc);
  }
}

/**
 * Checks that an operation whose error has `mayHaveTakenEffect: false` had no effect. The final checks repeat this, because a later
 * effect breaks the promise as well.
 */
export function checkNoEffect(operation: Operation, evidence: Evidence): void {
  const { reason, settledAt = 0 } = operation;
  if (!operation.claimsNoEffect || !CriError.is(reason)) return;
  for (const { kind, id, lastSeenAt } of evidence.truth.createdBy(operation)) {
    if (lastSeenAt >= settledAt)
      evidence.reportViolation(`${operation} claims that it had no effect, but created ${kind} ${id}`);
  }
  const rpc = reason.method?.split("/")[1];
  // A creation that was rolled back has removed objects, and a failed restart may have stopped the old container.
  if (rpc === undefined && /^(pods|containers)\.(run|create|restart)/.test(operation.name)) return;
  for (const { record } of operation.calls) {
    const concerns = rpc === undefined ? changes.has(record.rpc) : record.rpc === rpc && changes.has(record.rpc);
    if (concerns && evidence.truth.tookEffect(record))
      evidence.reportViolation(`${operation} claims that it had no effect, but ${record.rpc} took effect`);
  }
}

/**
 * Checks that a creation leaves nothing if it was aborted, timed out or could not start its container. A disturbance may prevent
 * the clean-up.
 */
function checkCleanUp(operation: Operation, evidence: Evidence): void {
  const { reason, settledAt = 0, dueAt } = operation;
  const timedOut = CriError.is(reason, "DEADLINE_EXCEEDED") && settledAt >= dueAt - 10;
  const startFailed = CriError.is(reason) && reason.method === "RuntimeService/StartContainer";
  if (!operation.cancelled && !timedOut && !startFailed) return;
  if (operation.closedAt !== undefined || evidence.truth.disturbancesOf(operation).length > 0) return;
  const lastLookup = operation.calls.findLast(({ record }) => /^(List|Stream)(PodSandbox|Container)/.test(record.rpc));
  for (const { present, firstSeenAt, kind, id } of evidence.truth.createdBy(operation)) {
    if (!present || (lastLookup && firstSeenAt > lastLookup.at)) continue;
    evidence.reportViolation(
      `${operation} failed and left ${kind} ${id}, although no disturbance prevented its removal`,
    );
  }
}

function stackOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? String(reason)) : String(reason);
}
