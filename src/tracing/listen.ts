import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { operationKinds } from "./channels.js";
import type { AnyOperation } from "./operations.js";
import { processWide } from "./process-wide.js";

/** Receives all operations of this process. */
export interface OperationListener {
  /** Called before the work of an operation. */
  started?(operation: AnyOperation): void;
  /** Called when an operation has ended. */
  ended?(operation: AnyOperation): void;
}

/**
 * Subscribes to the channels of all kinds of operations, and reports each operation that starts from now on. Returns a function that
 * ends the subscription: operations in progress are still reported when they end.
 */
export function listen(listener: OperationListener): () => void {
  /** The operations whose start was reported. */
  const open = new WeakSet<AnyOperation>();
  let openCount = 0;
  let isStopping = false;
  const subscribeAll = (event: string, receive: (message: unknown) => void) => {
    const names = operationKinds.map((kind) => `tracing:k8s-cri-client:${kind}:${event}`);
    for (const name of names) subscribe(name, receive);
    return () => {
      for (const name of names) unsubscribe(name, receive);
    };
  };
  const stopStarts = subscribeAll("start", (message) => {
    const operation = message as AnyOperation;
    open.add(operation);
    openCount++;
    listener.started?.(operation);
  });
  const stopEnds = subscribeAll("asyncEnd", (message) => {
    const operation = message as AnyOperation;
    if (!open.delete(operation)) return;
    openCount--;
    listener.ended?.(operation);
    // Not at once: the channel is calling its subscribers.
    if (isStopping && openCount === 0) queueMicrotask(stopEnds);
  });
  return () => {
    if (isStopping) return;
    isStopping = true;
    stopStarts();
    if (openCount === 0) stopEnds();
  };
}

/** A listener that several callers share. */
interface SharedListener {
  users: number;
  readonly stop: () => void;
}

/**
 * Subscribes a listener that records into a target, such as a tracer provider. While another listener records into the same target,
 * also one of another copy of this package, that one is used: otherwise, everything would be recorded twice.
 *
 * @param kind what is recorded into the target
 */
export function listenFor(kind: "spans" | "metrics", target: object, create: () => OperationListener): () => void {
  const listeners = processWide(kind, () => new WeakMap<object, SharedListener>());
  const shared = listeners.get(target) ?? { users: 0, stop: listen(create()) };
  listeners.set(target, shared);
  shared.users++;
  let isStopped = false;
  return () => {
    if (isStopped) return;
    isStopped = true;
    if (--shared.users > 0) return;
    listeners.delete(target);
    shared.stop();
  };
}
