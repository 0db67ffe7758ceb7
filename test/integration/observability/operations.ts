import { channel } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";
import type { CriOperation } from "../../../src/index.js";

/** Collects the operations that end from now on, until the test has finished. */
export function collectOperations(kinds = ["call", "attempt", "session", "workflow"]): CriOperation[] {
  const operations: CriOperation[] = [];
  const receive = (message: unknown) => operations.push(message as CriOperation);
  for (const kind of kinds) {
    const ends = channel(`tracing:k8s-cri-client:${kind}:asyncEnd`);
    ends.subscribe(receive);
    onTestFinished(() => void ends.unsubscribe(receive));
  }
  return operations;
}

/** Describes an operation with those that it is a part of: `workflow pods.run > call RuntimeService/RunPodSandbox`. */
export function pathOf({ kind, name, parent }: Pick<CriOperation, "kind" | "name" | "parent">): string {
  return `${parent ? `${pathOf(parent)} > ` : ""}${kind} ${name.replace(/^\w+Service\//, "")}`;
}
