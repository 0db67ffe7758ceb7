import { wholeUnits } from "../../specs/quantity.js";
import type { NodeConfig } from "../node/node-config.js";
import type { ResourceAmounts } from "./amounts.js";
import type { QosClass } from "./qos-class.js";

/** Memory limits are multiples of a page. */
const pageBytes = 4096;

/**
 * Returns the files of cgroup v2 for the MemoryQoS feature (KEP-2570): `memory.min` and `memory.low` keep memory from reclaim,
 * `memory.high` throttles a container before it reaches its limit.
 */
export function memoryQosFiles(
  { node, qosClass }: { node: NodeConfig; qosClass: QosClass },
  { requests, limits }: ResourceAmounts,
): Record<string, string> {
  if (!node.memoryQos || node.cgroupVersion !== 2) return {};
  const request = requests.get("memory") ?? 0n;
  const limit = limits.get("memory") ?? 0n;
  const reserved = node.memoryReservationPolicy === "TieredReservation" ? request : 0n;
  const high = request === limit ? undefined : throttlingLimit(node, request, limit);
  return {
    "memory.min": String(qosClass === "Guaranteed" ? reserved : 0n),
    "memory.low": String(qosClass === "Burstable" ? reserved : 0n),
    ...(high !== undefined && { "memory.high": String(high) }),
  };
}

function throttlingLimit(node: NodeConfig, request: bigint, limit: bigint): bigint | undefined {
  const factor = node.memoryThrottlingFactor;
  if (factor === undefined) return undefined;
  const upper = limit === 0n ? enforceableMemory(node) : limit;
  const bytes = Number(request) + (Number(upper) - Number(request)) * factor;
  const high = BigInt(Math.floor(bytes / pageBytes)) * BigInt(pageBytes);
  return high > request ? high : undefined;
}

/** Returns what a kubelet would let all pods use together: neither thresholds of evictions nor huge pages reduce it. */
function enforceableMemory({ capacity, reservedMemory = 0 }: NodeConfig): bigint {
  const left =
    wholeUnits(capacity.memory ?? 0, "node.capacity.memory") - wholeUnits(reservedMemory, "node.reservedMemory");
  return left > 0n ? left : 0n;
}
