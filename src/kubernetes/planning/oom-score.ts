import type { ContainerManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import type { PodResources } from "./pod-resources.js";
import type { QosClass } from "./qos-class.js";

const guaranteed = -997n;
const bestEffort = 1000n;

/**
 * Returns the `oom_score_adj` of a container by the kubelet's formula: the more memory a burstable container requests, the later
 * the kernel kills it. A pod's own request beyond those of its containers is shared equally among them.
 *
 * @param capacity the memory of the node in bytes
 */
export function oomScoreAdj(
  { spec }: PodManifest,
  container: ContainerManifest,
  resources: PodResources,
  qosClass: QosClass,
  capacity: bigint,
): bigint {
  if (spec.priorityClassName === "system-node-critical" || qosClass === "Guaranteed") return guaranteed;
  if (qosClass === "BestEffort") return bestEffort;
  const init = spec.initContainers ?? [];
  const surplus = surplusOf(resources) / BigInt(init.length + spec.containers.length);
  const scoreOf = ({ name }: ContainerManifest) => {
    const request = resources.containers.get(name)?.requests.get("memory") ?? 0n;
    return capacity > 0n ? 1000n - (1000n * (request + surplus)) / capacity : 1000n;
  };
  const own = scoreOf(container);
  // A sidecar survives at least as long as the main container with the smallest request.
  const isSidecar = container.restartPolicy === "Always" && init.includes(container);
  const score = isSidecar ? minimum(own, maximum(spec.containers.map(scoreOf))) : own;
  return minimum(maximum([score, bestEffort + guaranteed]), bestEffort - 1n);
}

function surplusOf({ own, containerRequests }: PodResources): bigint {
  const request = own?.requests.get("memory") ?? 0n;
  return request === 0n ? 0n : request - (containerRequests.get("memory") ?? 0n);
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function maximum(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b));
}
