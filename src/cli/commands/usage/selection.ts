import type { ContainerUsage, CriClient, PodUsage, UsageFilter, UsageSnapshot } from "../../../index.js";
import { type SelectOptions, select } from "../../select.js";

/** Which containers a user wants to see, apart from names. */
export interface UsageSelection extends SelectOptions {
  label?: Record<string, string>;
}

/** The filter of a snapshot, and functions that select its containers and pods. */
export interface SelectedUsage {
  readonly filter: UsageFilter;
  containers(snapshot: UsageSnapshot): ContainerUsage[];
  pods(snapshot: UsageSnapshot): PodUsage[];
}

/** Finds the containers and pods that a user names. Without names, selects all. */
export async function selectUsage(
  cri: CriClient,
  names: readonly string[],
  options: UsageSelection,
): Promise<SelectedUsage> {
  const targets = await select(cri, names, options);
  const ids = new Set(targets.map(({ id }) => id));
  const [only, ...others] = targets;
  const isNamed = (id: string) => ids.size === 0 || ids.has(id);
  const isInNamespace = (pod: { namespace: string } | undefined) =>
    options.namespace === undefined || pod?.namespace === options.namespace;
  return {
    filter: { labels: options.label, ...(only?.kind === "pod" && others.length === 0 && { pod: only }) },
    containers: ({ containers }) =>
      containers.filter(({ id, pod }) => (isNamed(id) || isNamed(pod?.id ?? "")) && isInNamespace(pod)),
    pods: ({ pods }) =>
      pods.filter((pod) => (isNamed(pod.id) || pod.containers.some(({ id }) => isNamed(id))) && isInNamespace(pod)),
  };
}
