import type { RuntimeCapabilities } from "../../resources/capabilities.js";
import { type Finding, finding } from "../finding.js";
import type { Subject } from "../subject.js";

/** Lists the runtime handlers, which a RuntimeClass names. */
export function checkHandlers({ status }: Subject): Finding[] {
  const handlers = status.runtimeHandlers;
  if (handlers.length === 0) {
    return [finding("handlers", "ok", "not reported: the runtime is older than Kubernetes 1.30")];
  }
  const names = handlers.map(({ name }) => (name === "" ? "the default" : name));
  const details = handlers.map(({ name, features }) => {
    const has = (value: boolean | undefined) => (value ? "yes" : "no");
    const userNamespaces = `user namespaces: ${has(features?.userNamespaces)}`;
    return `${name || "the default"}: ${userNamespaces}, recursive read-only mounts: ${has(features?.recursiveReadOnlyMounts)}`;
  });
  return [finding("handlers", "ok", names.join(", "), { details })];
}

/** The optional RPCs, and what follows if a runtime lacks one. */
const consequences = {
  runtimeConfig: "RuntimeConfig (containerd 2.0, CRI-O 1.28): the cgroup driver is read from the verbose status",
  podMetrics: "ListPodSandboxMetrics: stats.podMetrics() fails; the other statistics work",
  streamingLists: "streaming lists (containerd 2.4, CRI-O 1.36): lists must fit in one message of the runtime",
  updatePodResources: "UpdatePodSandboxResources (containerd 2.2, CRI-O 1.33): pod.update() fails",
  checkpointContainer: "CheckpointContainer (containerd 2.0): container.checkpoint() fails",
  checkpointPod: "CheckpointPod (Kubernetes 1.37, alpha): pod.checkpoint() and pods.restore() fail",
} as const satisfies Partial<Record<keyof RuntimeCapabilities, string>>;

/** Lists the RPCs that the runtime lacks, and what follows. */
export async function checkCapabilities({ cri, callOptions }: Subject): Promise<Finding[]> {
  const capabilities = await cri.capabilities(callOptions);
  const names = Object.keys(consequences) as (keyof typeof consequences)[];
  const details = names.filter((name) => !capabilities[name]).map((name) => `lacks ${consequences[name]}`);
  if ((await sourceOfChanges({ cri, callOptions })) === "list") {
    details.unshift("has no reliable pod events: events() and wait() poll at least once a second");
  }
  const all = names.length + 1;
  return [finding("capabilities", "ok", `${all - details.length} of ${all} optional features`, { details })];
}

/** Finds out how the client learns about changes. The stream sends nothing to the runtime that has an effect. */
async function sourceOfChanges({ cri, callOptions }: Pick<Subject, "cri" | "callOptions">) {
  const events = cri.events(callOptions);
  try {
    await events.ready;
    return events.source;
  } finally {
    await events.close();
  }
}
