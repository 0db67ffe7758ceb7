import { CriError } from "../../src/index.js";
import type { RpcName } from "../../src/testing/index.js";
import type { Operation } from "./operation.js";
import type { World } from "./world.js";

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
export function checkSettled(operation: Operation, world: World): void {
  checkReason(operation, world);
  checkBudget(operation, world);
  checkRepeats(operation, world);
  checkDenial(operation, world);
  checkCleanUp(operation, world);
  world.expectations.compare(world.truth, (message) => world.violate(message));
}

/** A rejection is a CriError, or the reason of the caller's own signal; aborted beforehand, nothing is sent. */
function checkReason(operation: Operation, world: World): void {
  if (operation.how.abort === "before") {
    if (!operation.cancelled) world.violate(`${operation} was aborted beforehand, and ${operation.describeOutcome()}`);
    if (operation.calls.length > 0) world.violate(`${operation} was aborted beforehand, and called the runtime`);
  }
  const { rejected, cancelled, reason } = operation;
  if (!rejected || cancelled || CriError.is(reason)) return;
  world.violate(`${operation} rejected with what is neither a CriError nor its signal's reason: ${stackOf(reason)}`);
}

function checkBudget(operation: Operation, world: World): void {
  const lateMs = (operation.settledAt ?? 0) - operation.dueAt;
  const allowedMs = overtimeMs(operation, world) + marginMs;
  if (lateMs > allowedMs) world.violate(`${operation} settled ${Math.round(lateMs)} ms after its time was up`);
}

/** How long an operation may go on when its time is up. */
export function overtimeMs(operation: Operation, world: World): number {
  if (!/^(pods|containers)\.(run|create|restart)/.test(operation.name)) return 0;
  // A runtime that works removes things at once.
  return cleanUpMs + (world.truth.troublesOf(operation).length > 0 ? undoMs : 0);
}

/** Nothing that makes something, or runs something, is repeated blindly. */
function checkRepeats(operation: Operation, world: World): void {
  const looked = new Set<RpcName>();
  for (const { record } of operation.calls) {
    const { rpc } = record;
    const looks = lookFirst.get(rpc) ?? [];
    if (rpc === "ExecSync" || looks.length > 0) {
      if (looked.has(rpc) && !looks.some((look) => looked.has(look)))
        world.violate(`${operation} repeated ${rpc} without a look`);
      for (const look of looks) looked.delete(look);
    }
    looked.add(rpc);
  }
}

/** `mayHaveTakenEffect: false` is a promise. Asked again at the end, for what happens later counts as well. */
export function checkDenial(operation: Operation, world: World): void {
  const { reason, settledAt = 0 } = operation;
  if (!operation.deniesEffect || !CriError.is(reason)) return;
  for (const { kind, id, lastSeenAt } of world.truth.madeBy(operation)) {
    if (lastSeenAt >= settledAt) world.violate(`${operation} says that it had no effect, and made ${kind} ${id}`);
  }
  const rpc = reason.method?.split("/")[1];
  // A creation that was undone has removed things; a restart that failed may have stopped the old container.
  if (rpc === undefined && /^(pods|containers)\.(run|create|restart)/.test(operation.name)) return;
  for (const { record } of operation.calls) {
    const concerns = rpc === undefined ? changes.has(record.rpc) : record.rpc === rpc && changes.has(record.rpc);
    if (concerns && world.truth.tookEffect(record))
      world.violate(`${operation} says that it had no effect, and ${record.rpc} had one`);
  }
}

/**
 * A creation that was cancelled or ran out of time leaves nothing, unless something kept it from seeing or removing it; nor does one
 * whose container could not be started.
 */
function checkCleanUp(operation: Operation, world: World): void {
  const { reason, settledAt = 0, dueAt } = operation;
  const ranOut = CriError.is(reason, "DEADLINE_EXCEEDED") && settledAt >= dueAt - 10;
  const isUndone = CriError.is(reason) && reason.method === "RuntimeService/StartContainer";
  if (!operation.cancelled && !ranOut && !isUndone) return;
  if (operation.closedAt !== undefined || world.truth.troublesOf(operation).length > 0) return;
  const lastLook = operation.calls.findLast(({ record }) => /^(List|Stream)(PodSandbox|Container)/.test(record.rpc));
  for (const { present, firstSeenAt, kind, id } of world.truth.madeBy(operation)) {
    if (!present || (lastLook && firstSeenAt > lastLook.at)) continue;
    world.violate(`${operation} failed and left ${kind} ${id}, though nothing kept it from removing it`);
  }
}

function stackOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? String(reason)) : String(reason);
}
