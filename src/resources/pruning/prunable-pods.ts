import { callOptionFields, type FieldsOf } from "../../input/call-options.js";
import { flag, isSet, requiredString, stringMap } from "../../input/check.js";
import { toDate } from "../../internal/time.js";
import type { CallOptions } from "../../options.js";
import { type Container, type PodSandbox, PodSandboxState } from "../../proto.js";
import { readMark } from "../creation/creation-mark.js";
import { podMatcher } from "../pod-filter.js";
import { idOf } from "../target.js";
import { type NodeFilter, nodeFilterFields } from "../watching/node-filter.js";
import { amount, predicate } from "./removals.js";

/** Options of `pods.prune` and `containers.prune`. `timeoutMs` and `deadline` limit the whole operation. */
export interface PrunePodsOptions extends NodeFilter, CallOptions {
  /**
   * Keeps pods and containers that were created more recently than this, by the clock of this machine.
   *
   * @defaultValue 120,000 (two minutes): another program may still be creating or reading them
   */
  minAgeMs?: number | undefined;
  /**
   * Decides whether a pod is gone, so that nobody needs its containers and its last sandbox. A kubelet asks the API server.
   *
   * @defaultValue a pod is gone if none of its sandboxes is ready; a pod of a kubelet never is
   */
  isGone?: ((pod: PrunablePod) => boolean) | undefined;
  /**
   * Also removes pods and containers that a kubelet created. A kubelet removes them itself, and derives the restart count and the
   * logs that it shows from them.
   *
   * @defaultValue false
   */
  includeKubelet?: boolean | undefined;
  /** Removes nothing and only returns what would be removed. @defaultValue false */
  dryRun?: boolean | undefined;
}

/** A pod of {@link PrunePodsOptions.isGone}: all sandboxes with the same namespace, name and uid. */
export interface PrunablePod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The sandboxes, the newest first. */
  readonly sandboxes: readonly PodSandbox[];
}

/** The fields of {@link PrunePodsOptions}. */
export const prunePodsFields: FieldsOf<PrunePodsOptions> = {
  minAgeMs: true,
  isGone: true,
  includeKubelet: true,
  dryRun: true,
  ...nodeFilterFields,
  ...callOptionFields,
};

const defaultMinAgeMs = 120_000;

/** The rules by which pods and containers are removed. */
export interface PruneRules {
  readonly dryRun: boolean;
  isSelected(pod: PodSandbox): boolean;
  /** Returns whether the options select all pods. */
  readonly selectsAll: boolean;
  isYoung(object: Pick<PodSandbox | Container, "createdAt">): boolean;
  isGone(pod: PrunablePod): boolean;
  /** Returns whether an object must be left to a kubelet. */
  isKubelets(object: Labelled): boolean;
}

type Labelled = Pick<PodSandbox | Container, "labels" | "annotations">;

/** Checks options. @throws InvalidInputError */
export function pruneRules(options: PrunePodsOptions): PruneRules {
  const { pod, labels, namespace, isGone } = options;
  const selection = {
    id: isSet(pod) ? idOf(pod, "pod") : undefined,
    labels: stringMap(labels, "labels"),
    namespace: isSet(namespace) ? requiredString(namespace, "namespace") : undefined,
  };
  const minAgeMs = amount(options.minAgeMs, "minAgeMs", "milliseconds") ?? defaultMinAgeMs;
  const includeKubelet = flag(options.includeKubelet, "includeKubelet");
  const now = Date.now();
  return {
    dryRun: flag(options.dryRun, "dryRun"),
    isSelected: podMatcher(selection),
    selectsAll: !isSet(pod) && !isSet(namespace) && Object.keys(selection.labels).length === 0,
    isYoung: ({ createdAt }) => minAgeMs > 0 && (toDate(createdAt)?.getTime() ?? 0) > now - minAgeMs,
    isGone: isSet(isGone) ? predicate(isGone, "isGone") : isStopped,
    isKubelets: (object) => !includeKubelet && wasCreatedByKubelet(object),
  };
}

function isStopped({ sandboxes }: PrunablePod): boolean {
  return sandboxes.every((sandbox) => sandbox.state !== PodSandboxState.SANDBOX_READY && !wasCreatedByKubelet(sandbox));
}

/** Pods that this package creates from a manifest have the labels of a kubelet, and a mark. */
export function wasCreatedByKubelet(object: Labelled): boolean {
  return "io.kubernetes.pod.uid" in object.labels && readMark(object) === undefined;
}

/** Groups sandboxes by their pod. Returns the pod of each sandbox by the sandbox's id. */
export function groupByPod(sandboxes: readonly PodSandbox[]): ReadonlyMap<string, PrunablePod> {
  const pods = new Map<string, PrunablePod & { sandboxes: PodSandbox[] }>();
  const bySandbox = new Map<string, PrunablePod>();
  for (const sandbox of [...sandboxes].sort(newestFirst)) {
    const { namespace = "", name = "", uid = "" } = sandbox.metadata ?? {};
    const key = JSON.stringify([namespace, name, uid]);
    const pod = pods.get(key) ?? { namespace, name, uid, sandboxes: [] };
    pods.set(key, pod);
    pod.sandboxes.push(sandbox);
    bySandbox.set(sandbox.id, pod);
  }
  return bySandbox;
}

/** Orders attempts by their creation, the newest first. */
export function newestFirst<T extends Pick<PodSandbox | Container, "createdAt" | "metadata">>(a: T, b: T): number {
  return b.createdAt.compare(a.createdAt) || (b.metadata?.attempt ?? 0) - (a.metadata?.attempt ?? 0);
}
