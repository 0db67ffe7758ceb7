import type { CriError } from "../../errors.js";
import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { integer } from "../../input/check.js";
import { type Container, ContainerState } from "../../proto.js";
import { callOptionsOf, startBudget } from "../../rpcs/budget.js";
import { listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { removeContainer } from "../stopping.js";
import {
  groupByPod,
  newestFirst,
  type PrunablePod,
  type PrunePodsOptions,
  type PruneRules,
  prunePodsFields,
  pruneRules,
} from "./prunable-pods.js";
import { Removals } from "./removals.js";

/** Options of `containers.prune`. */
export interface PruneContainersOptions extends PrunePodsOptions {
  /**
   * The number of exited containers to keep for each container name of a pod that is not gone, the newest of them.
   *
   * @defaultValue 1, as a kubelet's `maximum-dead-containers-per-container`
   */
  maxPerContainer?: number | undefined;
  /**
   * The number of exited containers to keep of all selected pods. If there are more, each container name keeps an equal share, at
   * least one; then the oldest are removed.
   *
   * @defaultValue no limit, as a kubelet's `maximum-dead-containers`
   */
  maxContainers?: number | undefined;
}

const pruneContainersFields: FieldsOf<PruneContainersOptions> = {
  maxPerContainer: true,
  maxContainers: true,
  ...prunePodsFields,
};

/**
 * Why `containers.prune` kept a container: it is running; it was not started yet, or the runtime does not know its state; it is the
 * latest attempt in a pod that is not gone; a kubelet created it; it is younger than `minAgeMs`; or it is one of the
 * `maxPerContainer` newest.
 */
export type ContainerKeptReason =
  | "running"
  | "created"
  | "unknown"
  | "latest"
  | "kubelet"
  | "minAgeMs"
  | "maxPerContainer";

/** The result of `containers.prune`. */
export interface PrunedContainers {
  /** The containers that were removed; with `dryRun`, those that would be. */
  removed: Container[];
  /** The containers that the runtime refused to remove. */
  failed: { container: Container; error: CriError }[];
  /** The other containers of the selected pods, and why they were kept. */
  kept: { container: Container; reason: ContainerKeptReason }[];
}

/** Removes exited containers by age and number. */
export const pruneContainers = asWorkflow({ name: "containers.prune" }, removeObsoleteContainers);

async function removeObsoleteContainers(
  connection: Connection,
  options: PruneContainersOptions = {},
): Promise<PrunedContainers> {
  checkOptions(options, pruneContainersFields);
  const rules = pruneRules(options);
  const maxPerContainer = integer(options.maxPerContainer, "maxPerContainer", 0, Number.MAX_SAFE_INTEGER, 1);
  const maxContainers = integer(
    options.maxContainers,
    "maxContainers",
    0,
    Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
  );
  const budget = startBudget(connection, callOptionsOf(options), undefined);
  // Pods are listed after containers, so that the list contains the pod of every container that still exists.
  const containers = await listContainers(connection, undefined, budget.options());
  const sandboxes = await listPodSandboxes(connection, undefined, budget.options());

  const groups = groupContainers(containers, groupByPod(sandboxes.filter(rules.isSelected)), rules);
  const kept = groups.flatMap((group) => group.kept);
  const obsolete = groups.flatMap((group) => group.takeObsolete(maxPerContainer));
  obsolete.push(...takeSurplus(groups, maxContainers));
  for (const { exited, latest } of groups) {
    for (const container of exited)
      kept.push({ container, reason: container === latest ? "latest" : "maxPerContainer" });
  }

  const removals = new Removals<Container>(rules.dryRun);
  for (const container of obsolete.sort(newestFirst).reverse()) {
    await removals.remove(container, () => removeContainer(connection, container.id, 0, budget));
  }
  const failed = removals.failed.map(({ object, error }) => ({ container: object, error }));
  return { removed: removals.removed, failed, kept };
}

/** The attempts of one container of a pod. */
class Attempts {
  readonly kept: PrunedContainers["kept"] = [];
  /** The newest attempt, which is never removed unless the pod is gone. */
  readonly latest: Container | undefined;
  /** The containers that may be removed, the newest first. */
  exited: Container[] = [];
  readonly #isGone: boolean;

  constructor(containers: readonly Container[], pod: PrunablePod | undefined, rules: PruneRules) {
    this.#isGone = pod === undefined || rules.isGone(pod);
    const sorted = [...containers].sort(newestFirst);
    if (!this.#isGone) this.latest = sorted[0];
    for (const container of sorted) {
      const reason = this.#reasonToKeep(container, rules);
      if (reason === undefined) this.exited.push(container);
      else this.kept.push({ container, reason });
    }
  }

  #reasonToKeep(container: Container, rules: PruneRules): ContainerKeptReason | undefined {
    if (container.state === ContainerState.CONTAINER_RUNNING) return "running";
    // Nobody can start a container of a pod that is gone.
    if (!this.#isGone && container.state === ContainerState.CONTAINER_CREATED) return "created";
    if (!this.#isGone && container.state !== ContainerState.CONTAINER_EXITED) return "unknown";
    if (rules.isKubelets(container)) return "kubelet";
    return rules.isYoung(container) ? "minAgeMs" : undefined;
  }

  /** Takes the containers beyond a number out of {@link exited}: all of them if the pod is gone. */
  takeObsolete(maxKept: number): Container[] {
    const obsolete = this.exited.slice(this.#isGone ? 0 : maxKept).filter((container) => container !== this.latest);
    this.exited = this.exited.filter((container) => !obsolete.includes(container));
    return obsolete;
  }
}

/** Groups the containers of the selected pods by pod and name. Containers without a pod are selected if all pods are. */
function groupContainers(
  containers: readonly Container[],
  pods: ReadonlyMap<string, PrunablePod>,
  rules: PruneRules,
): Attempts[] {
  const groups = new Map<PrunablePod | string, Map<string, Container[]>>();
  for (const container of containers) {
    const pod = pods.get(container.podSandboxId);
    if (pod === undefined && !rules.selectsAll) continue;
    const key = pod ?? container.podSandboxId;
    const byName = groups.get(key) ?? new Map<string, Container[]>();
    groups.set(key, byName);
    const name = container.metadata?.name ?? "";
    byName.set(name, [...(byName.get(name) ?? []), container]);
  }
  return [...groups].flatMap(([key, byName]) =>
    [...byName.values()].map((attempts) => new Attempts(attempts, typeof key === "string" ? undefined : key, rules)),
  );
}

/** Takes containers until at most `maxContainers` are left: first an equal share for each name, then the oldest. */
function takeSurplus(groups: readonly Attempts[], maxContainers: number): Container[] {
  const left = () => groups.reduce((sum, { exited }) => sum + exited.length, 0);
  if (left() <= maxContainers) return [];
  const nonEmpty = groups.filter(({ exited }) => exited.length > 0);
  const share = Math.max(1, Math.floor(maxContainers / nonEmpty.length));
  const surplus = nonEmpty.flatMap((group) => group.takeObsolete(share));
  const oldest = nonEmpty
    .flatMap(({ exited, latest }) => exited.filter((container) => container !== latest))
    .sort(newestFirst)
    .reverse()
    .slice(0, Math.max(0, left() - maxContainers));
  for (const group of nonEmpty) group.exited = group.exited.filter((container) => !oldest.includes(container));
  return [...surplus, ...oldest];
}
