import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { operationKinds } from "./channels.js";
import type { AnyOperation } from "./operations.js";

/** Receives all operations of this process. */
export interface OperationListener {
  /** Called before the work of an operation. */
  started?(operation: AnyOperation): void;
  /** Called when an operation has ended. */
  ended?(operation: AnyOperation): void;
}

/** Subscribes to the channels of all kinds of operations. Returns a function that ends the subscription. */
export function listen(listener: OperationListener): () => void {
  const started = (message: unknown) => listener.started?.(message as AnyOperation);
  const ended = (message: unknown) => listener.ended?.(message as AnyOperation);
  const subscriptions = operationKinds.flatMap((kind) => [
    [`tracing:k8s-cri-client:${kind}:start`, started] as const,
    [`tracing:k8s-cri-client:${kind}:asyncEnd`, ended] as const,
  ]);
  for (const [name, receive] of subscriptions) subscribe(name, receive);
  return () => {
    for (const [name, receive] of subscriptions) unsubscribe(name, receive);
  };
}
