import { WindowsContainerResources } from "../proto.js";
import { at, isSet, object, refuse } from "./check.js";
import { clamp, int64, type ResourcesSpec, requestsAndLimits, resourceFields } from "./resources.js";

/** `cpuMaximum` for all processors of the node. */
const allProcessors = 10_000n;

/**
 * The limits of a Windows container, converted as a kubelet does: memory in bytes, CPU as a share of all the node's processors in
 * units of 0.01 percent, rounded down, at least 1. Requests have no field there.
 *
 * @param processors processors of the node
 */
export function toWindowsResources(
  spec: ResourcesSpec | null | undefined,
  field: string,
  processors: number,
): WindowsContainerResources | undefined {
  if (!isSet(spec)) return undefined;
  const { requests, limits, ...others } = object(spec, field, resourceFields);
  for (const [key, value] of Object.entries(others)) {
    if (isSet(value)) refuse(at(field, key), "is for Linux; Windows containers have limits of cpu and memory only");
  }
  const { limits: amounts, memory } = requestsAndLimits({ requests, limits }, field, false);
  const { cpu = 0n } = amounts;
  const share = (cpu * 10n) / BigInt(processors);
  return WindowsContainerResources.create({
    cpuMaximum: int64(cpu === 0n ? 0n : clamp(share, 1n, allProcessors)),
    memoryLimitInBytes: int64(memory),
  });
}
