import type { ResourceList, ResourcesManifest } from "../../manifest/container.js";
import type { PodManifest } from "../../manifest/pod.js";
import type { Amounts } from "../../planning/amounts.js";
import { podResourcesOf } from "../../planning/pod-resources.js";

/** Fills in requests that are not set: they are the limits. */
export function resourcesWithDefaults({ limits, requests }: ResourcesManifest = {}): ResourcesManifest {
  const all = { ...limits, ...requests };
  return {
    ...(limits && { limits }),
    ...(Object.keys(all).length > 0 && { requests: all }),
  };
}

/**
 * Fills in the requests of the whole pod, if it has limits: they are what the containers request together, else the limits. A limit
 * of huge pages is that of the containers.
 */
export function podResourcesWithDefaults(pod: PodManifest): ResourcesManifest | undefined {
  const { resources } = pod.spec;
  if (resources === undefined) return undefined;
  const { containerRequests } = podResourcesOf(pod, undefined);
  const isSet = (list: ResourceList | undefined) => Object.keys(list ?? {}).length > 0;
  if (!isSet(resources.limits) && !isSet(resources.requests)) return resources;
  const hugePages = quantities(containerRequests, (name) => name.startsWith("hugepages-"));
  const limits = { ...hugePages, ...resources.limits };
  if (!isSet(limits)) return resources;
  const overcommittable = quantities(containerRequests, (name) => name === "cpu" || name === "memory");
  const inherited = isSet(resources.limits) ? overcommittable : {};
  return { limits, requests: { ...limits, ...inherited, ...resources.requests } };
}

function quantities(amounts: Amounts, includes: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    [...amounts]
      .filter(([name]) => includes(name))
      .map(([name, amount]) => [name, name === "cpu" ? `${amount}m` : String(amount)]),
  );
}
