import type { CriError } from "../../errors.js";
import { checkOptions } from "../../input/call-options.js";
import { type PodSandbox, PodSandboxState } from "../../proto.js";
import { callOptionsOf, startBudget } from "../../rpcs/budget.js";
import { listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { removePod } from "../stopping.js";
import {
  groupByPod,
  type PrunablePod,
  type PrunePodsOptions,
  type PruneRules,
  prunePodsFields,
  pruneRules,
} from "./prunable-pods.js";
import { Removals } from "./removals.js";

/**
 * Why `pods.prune` kept a sandbox: it is ready, it has containers (exited ones included), it is the newest one of a pod that is not
 * gone, a kubelet created it, or it is younger than `minAgeMs`.
 */
export type PodKeptReason = "ready" | "hasContainers" | "latest" | "kubelet" | "minAgeMs";

/** The result of `pods.prune`. */
export interface PrunedPods {
  /** The pod sandboxes that were removed; with `dryRun`, those that would be. */
  removed: PodSandbox[];
  /** The pod sandboxes that the runtime refused to remove. */
  failed: { pod: PodSandbox; error: CriError }[];
  /** The other selected pod sandboxes, and why they were kept. */
  kept: { pod: PodSandbox; reason: PodKeptReason }[];
}

/** Removes pod sandboxes that are no longer needed. */
export const prunePods = asWorkflow({ name: "pods.prune" }, removeObsoletePods);

async function removeObsoletePods(connection: Connection, options: PrunePodsOptions = {}): Promise<PrunedPods> {
  checkOptions(options, prunePodsFields);
  const rules = pruneRules(options);
  const budget = startBudget(connection, callOptionsOf(options), undefined);
  // Containers are listed after pods, so that the list contains a container that is created in between.
  const sandboxes = await listPodSandboxes(connection, undefined, budget.options());
  const containers = await listContainers(connection, undefined, budget.options());
  const inUse = new Set(containers.map(({ podSandboxId }) => podSandboxId));
  const pods = groupByPod(sandboxes);

  const kept: PrunedPods["kept"] = [];
  const obsolete: PodSandbox[] = [];
  for (const pod of sandboxes.filter(rules.isSelected)) {
    const reason = reasonToKeep(pod, pods.get(pod.id)!, inUse.has(pod.id), rules);
    if (reason === undefined) obsolete.push(pod);
    else kept.push({ pod, reason });
  }

  const removals = new Removals<PodSandbox>(rules.dryRun);
  for (const pod of obsolete) await removals.remove(pod, () => removePod(connection, pod.id, () => 0, budget));
  const failed = removals.failed.map(({ object, error }) => ({ pod: object, error }));
  return { removed: removals.removed, failed, kept };
}

/** Returns why a sandbox must not be removed; `undefined` if it may be. */
function reasonToKeep(
  sandbox: PodSandbox,
  pod: PrunablePod,
  hasContainers: boolean,
  rules: PruneRules,
): PodKeptReason | undefined {
  if (sandbox.state === PodSandboxState.SANDBOX_READY) return "ready";
  if (hasContainers) return "hasContainers";
  if (rules.isKubelets(sandbox)) return "kubelet";
  if (rules.isYoung(sandbox)) return "minAgeMs";
  return sandbox === pod.sandboxes[0] && !rules.isGone(pod) ? "latest" : undefined;
}
