import type { ContainerManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import { type Amounts, amountsOf, containerAmounts, maximum, type ResourceAmounts, sum } from "./amounts.js";
import { containerPath } from "./pod-context.js";

/** The resources of a pod and of its containers. */
export interface PodResources {
  /** By the name of the container. */
  containers: ReadonlyMap<string, ResourceAmounts>;
  /** The pod's own resources (`spec.resources`); undefined if it has none. */
  own: ResourceAmounts | undefined;
  /** What the containers request together. */
  containerRequests: Amounts;
  /** What the whole pod needs, without overhead: its own resources, else those of its containers. */
  requests: Amounts;
  limits: Amounts;
  overhead: Amounts | undefined;
}

/** Reads the resources of a pod and adds them up as kubelets do. */
export function podResourcesOf(pod: PodManifest, overhead: Amounts | undefined): PodResources {
  const { spec } = pod;
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  const containers = new Map(
    all.map((container) => {
      return [container.name, containerAmounts(container.resources, `${containerPath(pod, container)}.resources`)];
    }),
  );
  const requests = amountsOf(spec.resources?.requests, "spec.resources.requests");
  const limits = amountsOf(spec.resources?.limits, "spec.resources.limits");
  const own = requests.size + limits.size > 0 ? { requests, limits } : undefined;
  const containerRequests = effective(pod, (container) => containers.get(container.name)!.requests);
  const containerLimits = effective(pod, (container) => containers.get(container.name)!.limits);
  return {
    containers,
    own,
    containerRequests,
    requests: new Map([...containerRequests, ...requests]),
    limits: new Map([...containerLimits, ...limits]),
    overhead,
  };
}

/**
 * Adds up what containers need at the same time. Init containers run one after the other, each beside the sidecars before it, and
 * sidecars stay beside the main containers.
 */
function effective({ spec }: PodManifest, amounts: (container: ContainerManifest) => Amounts): Amounts {
  let sidecars: Amounts = new Map();
  const phases: Amounts[] = [];
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") sidecars = sum([sidecars, amounts(container)]);
    else phases.push(sum([sidecars, amounts(container)]));
  }
  return maximum([...phases, sum([sidecars, ...spec.containers.map(amounts)])]);
}
