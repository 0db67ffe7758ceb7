import type { LinuxContainerResources } from "../../proto.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";
import type { ResourceAmounts } from "./amounts.js";
import type { QosClass } from "./qos-class.js";

interface SwapContext {
  pod: PodManifest;
  node: NodeConfig;
  qosClass: QosClass;
}

/**
 * Limits the swap of a container (KEP-2400). With `LimitedSwap` on cgroup v2, a burstable container gets the same share of the swap
 * space as of the node's memory. All other containers cannot swap.
 *
 * @param capacity the memory of the node in bytes
 */
export function applySwapLimit(
  message: LinuxContainerResources,
  context: SwapContext,
  amounts: ResourceAmounts,
  capacity: bigint,
): void {
  const { node } = context;
  if (!node.swapController) return;
  if (node.cgroupVersion === 1) {
    // Memory and swap together: a limit equal to that of the memory leaves no swap.
    message.memorySwapLimitInBytes = message.memoryLimitInBytes;
    return;
  }
  const limit = canSwap(context, amounts) ? share(amounts, node, capacity) : 0;
  message.unified["memory.swap.max"] = String(limit);
}

function canSwap({ pod, node, qosClass }: SwapContext, { requests, limits }: ResourceAmounts): boolean {
  if (node.swapBehavior !== "LimitedSwap" || qosClass !== "Burstable" || isCritical(pod)) return false;
  return (requests.get("memory") ?? 0n) !== (limits.get("memory") ?? 0n);
}

function share({ requests }: ResourceAmounts, node: NodeConfig, capacity: bigint): number {
  const request = requests.get("memory") ?? 0n;
  if (capacity === 0n || request > capacity) return 0;
  return Math.trunc((Number(request) / Number(capacity)) * node.swapCapacityBytes);
}

/** The priority of `system-cluster-critical`; only pods of the system have more. */
const criticalPriority = 2_000_000_000;

function isCritical({ spec, metadata }: PodManifest): boolean {
  const source = metadata.annotations?.["kubernetes.io/config.source"];
  if (source !== undefined && source !== "api") return true; // a static pod
  return (
    /^system-(node|cluster)-critical$/.test(spec.priorityClassName ?? "") || (spec.priority ?? 0) >= criticalPriority
  );
}
