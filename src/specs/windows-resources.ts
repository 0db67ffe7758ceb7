import { ObjectReader } from "../input/object-reader.js";
import { WindowsContainerResources } from "../proto.js";
import { clamp, int64, type ResourcesSpec, requestsAndLimits, resourceFields } from "./resources.js";

const linuxOnly = ["cpusetCpus", "cpusetMems", "memoryAndSwapLimit", "oomScoreAdj", "unified"] as const;

/** `cpuMaximum` for all processors of the node. */
const allProcessors = 10_000n;

/**
 * Converts the limits of a Windows container as a kubelet does: memory in bytes, CPU as a share of all the node's processors in
 * units of 0.01 percent, rounded down, at least 1. Requests have no field in CRI.
 *
 * @param processors the number of processors of the node
 */
export function toWindowsResources(spec: ResourcesSpec, field: string, processors: number): WindowsContainerResources {
  const resources = new ObjectReader(spec, field, resourceFields);
  for (const key of linuxOnly) {
    if (resources.isSet(key))
      resources.refuse(key, "is for Linux; Windows containers have limits of cpu and memory only");
  }
  const { limits: amounts, memory } = requestsAndLimits(resources, false);
  const { cpu = 0n } = amounts;
  const share = (cpu * 10n) / BigInt(processors);
  return WindowsContainerResources.create({
    cpuMaximum: int64(cpu === 0n ? 0n : clamp(share, 1n, allProcessors)),
    memoryLimitInBytes: int64(memory),
  });
}
