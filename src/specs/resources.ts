import { type HugepageLimit, LinuxContainerResources, Long } from "../proto.js";
import { at, integer, invalid, isSet, object, refuse, text, textMap } from "./check.js";
import { maxInt64, milliUnits, type Quantity, wholeUnits } from "./quantity.js";

/** What a container is promised. */
export interface ResourceRequests {
  /** Cores; decides the share of CPU time under contention. @defaultValue the limit */
  cpu?: Quantity | undefined;
  /** Bytes. Must not exceed the limit, and goes no further: CRI has no field for it. @defaultValue the limit */
  memory?: Quantity | undefined;
}

/** What a container may not exceed. Huge pages are given by page size, in bytes: `"hugepages-2Mi": "64Mi"`. */
export interface ResourceLimits {
  /** Cores, enforced by throttling in periods of 100 ms. At least 10 millicores take effect. @defaultValue unlimited */
  cpu?: Quantity | undefined;
  /** Bytes, enforced by the OOM killer. @defaultValue unlimited */
  memory?: Quantity | undefined;
  [hugepages: `hugepages-${string}`]: Quantity | undefined;
}

/**
 * Resources of a container or pod, converted as a kubelet does. Windows containers take the limits of `cpu` and `memory` only. What is not mentioned is left to the runtime; unlike a
 * kubelet, this package does not push a container that mentions no CPU to the back of the queue (2 shares).
 */
export interface ResourcesSpec {
  requests?: ResourceRequests | undefined;
  limits?: ResourceLimits | undefined;
  /** CPUs to run on, as a list of ranges such as `"0-3,7"`. @defaultValue all */
  cpusetCpus?: string | undefined;
  /** NUMA nodes to take memory from, as a list of ranges. @defaultValue all */
  cpusetMems?: string | undefined;
  /** Bytes of memory and swap together; needs a memory limit and is at least as large. @defaultValue the runtime's choice */
  memoryAndSwapLimit?: Quantity | undefined;
  /** From -1000 (never) to 1000 (first): how readily the kernel kills the container when the node runs out of memory. @defaultValue 0 */
  oomScoreAdj?: number | undefined;
  /** Files of cgroup v2 and what to write into them, such as `{ "memory.high": "104857600" }`. Ignored or refused on cgroup v1. */
  unified?: Readonly<Record<string, string>> | undefined;
}

/** CPU and memory that a pod costs beyond its containers (a virtual machine's, for instance). */
export interface OverheadSpec {
  /** Cores. */
  cpu?: Quantity | undefined;
  /** Bytes. */
  memory?: Quantity | undefined;
}

/** What {@link ResourcesSpec} may contain. */
export const resourceFields = {
  requests: true,
  limits: true,
  cpusetCpus: true,
  cpusetMems: true,
  memoryAndSwapLimit: true,
  oomScoreAdj: true,
  unified: true,
} as const;

/** The wire message for resources; nothing if nothing is set. */
export function toLinuxResources(
  spec: ResourcesSpec | null | undefined,
  field: string,
): LinuxContainerResources | undefined {
  if (!isSet(spec)) return undefined;
  object(spec, field, resourceFields);
  const { requests, limits, memory } = requestsAndLimits(spec, field, true);
  return LinuxContainerResources.create({
    ...cpuTime(requests.cpu ?? limits.cpu, limits.cpu, at(at(field, "limits"), "cpu")),
    memoryLimitInBytes: int64(memory),
    memorySwapLimitInBytes: int64(swapLimit(spec.memoryAndSwapLimit, memory, at(field, "memoryAndSwapLimit"))),
    oomScoreAdj: Long.fromNumber(integer(spec.oomScoreAdj, at(field, "oomScoreAdj"), -1000, 1000, 0)),
    cpusetCpus: ranges(spec.cpusetCpus, at(field, "cpusetCpus")),
    cpusetMems: ranges(spec.cpusetMems, at(field, "cpusetMems")),
    hugepageLimits: limits.hugepages,
    unified: unifiedFiles(spec.unified, at(field, "unified")),
  });
}

/** The requests and limits of a spec, checked against each other. `memory` is the memory limit in bytes; 0 means none. */
export function requestsAndLimits(spec: ResourcesSpec, field: string, withHugepages: boolean) {
  const requests = amounts(spec.requests, at(field, "requests"), false);
  const limits = amounts(spec.limits, at(field, "limits"), withHugepages);
  for (const name of ["cpu", "memory"] as const) {
    const most = limits[name];
    if (isSet(requests[name]) && isSet(most) && most > 0n && requests[name] > most) {
      refuse(at(at(field, "requests"), name), "must not exceed the limit");
    }
  }
  return { requests, limits, memory: memoryLimit(limits.memory, at(at(field, "limits"), "memory")) };
}

/** A pod's overhead: request and limit at once, as a kubelet has it. */
export function toOverhead(spec: OverheadSpec | null | undefined, field: string): LinuxContainerResources | undefined {
  if (!isSet(spec)) return undefined;
  const { cpu, memory } = object(spec, field, { cpu: true, memory: true });
  const milli = isSet(cpu) ? milliUnits(cpu, at(field, "cpu")) : undefined;
  return LinuxContainerResources.create({
    ...cpuTime(milli, milli, at(field, "cpu")),
    memoryLimitInBytes: int64(isSet(memory) ? bytes(memory, at(field, "memory")) : 0n),
  });
}

interface Amounts {
  /** Millicores. */
  cpu?: bigint;
  /** Bytes. */
  memory?: bigint;
  hugepages: HugepageLimit[];
}

function amounts(spec: ResourceRequests | ResourceLimits | undefined, field: string, withHugepages: boolean): Amounts {
  const result: Amounts = { hugepages: [] };
  if (!isSet(spec)) return result;
  const { plain, hugepages } = partition(spec, withHugepages);
  const { cpu, memory } = object(plain as ResourceRequests, field, { cpu: true, memory: true });
  if (isSet(cpu)) result.cpu = milliUnits(cpu, at(field, "cpu"));
  if (isSet(memory)) result.memory = bytes(memory, at(field, "memory"));
  for (const [name, amount] of hugepages) {
    if (!isSet(amount)) continue;
    const path = at(field, name);
    const size = wholeUnits(name.slice("hugepages-".length), path);
    const limit = wholeUnits(amount as Quantity, path);
    if (size === 0n || limit % size !== 0n) invalid(path, "must be a multiple of the page size", amount);
    result.hugepages.push({ pageSize: pageSize(size), limit: Long.fromString(String(limit), true) });
  }
  return result;
}

function partition(spec: unknown, withHugepages: boolean): { plain: unknown; hugepages: [string, unknown][] } {
  if (typeof spec !== "object" || spec === null || Array.isArray(spec) || !withHugepages)
    return { plain: spec, hugepages: [] };
  const isHuge = ([name]: [string, unknown]) => name.startsWith("hugepages-");
  const entries = Object.entries(spec);
  return { plain: Object.fromEntries(entries.filter((entry) => !isHuge(entry))), hugepages: entries.filter(isHuge) };
}

/** 2097152 → "2MB": what runtimes look huge pages up by. */
function pageSize(size: bigint): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  for (; size >= 1024n && size % 1024n === 0n && unit < units.length - 1; unit++) size /= 1024n;
  return `${size}${units[unit]}`;
}

const period = 100_000n;
export const clamp = (value: bigint, least: bigint, most: bigint) =>
  value < least ? least : value > most ? most : value;

/** Shares from the request (1024 per core, 2 to 262144), quota per 100 ms from the limit (no less than 1 ms). */
function cpuTime(request: bigint | undefined, limit: bigint | undefined, field: string) {
  const quota = ((limit ?? 0n) * period) / 1000n;
  if (quota > maxInt64) refuse(field, "is too large");
  return {
    cpuShares: int64(request === undefined ? 0n : clamp((request * 1024n) / 1000n, 2n, 262_144n)),
    cpuPeriod: int64(quota === 0n ? 0n : period),
    cpuQuota: int64(quota === 0n ? 0n : clamp(quota, 1000n, maxInt64)),
  };
}

// crun cannot start a process in less than 500 KiB, and CRI-O asks for 12 MiB with runc: a smaller limit is a forgotten suffix.
const leastMemory = 500n * 1024n;

/** Autoscalers write memory in thousandths of a byte, such as "128974848000m". People who write "128m" mean "128M". */
function bytes(value: Quantity, field: string): bigint {
  const amount = wholeUnits(value, field);
  if (typeof value === "string" && /[num]$/.test(value) && amount > 0n && amount < leastMemory) {
    invalid(field, "is in fractions of a byte, and too little memory; did you mean M or Mi?", value);
  }
  return amount;
}

/** Zero means no limit, as in Kubernetes. */
function memoryLimit(limit: bigint | undefined, field: string): bigint {
  if (limit !== undefined && limit > 0n && limit < leastMemory) {
    refuse(field, `${limit} bytes are too few for any process to start in; did you forget a suffix such as Mi?`);
  }
  return limit ?? 0n;
}

function swapLimit(value: Quantity | undefined, memory: bigint, field: string): bigint {
  if (!isSet(value)) return 0n;
  const limit = bytes(value, field);
  if (memory === 0n) refuse(field, "needs a memory limit beside it");
  return limit < memory
    ? invalid(field, "counts memory and swap together, so it must not be less than the memory limit", value)
    : limit;
}

function ranges(value: string | undefined, field: string): string {
  const written = text(value, field);
  if (!/^(\d+(-\d+(:\d+\/\d+)?)?(,\d+(-\d+(:\d+\/\d+)?)?)*)?$/.test(written)) {
    invalid(field, 'must be a list of numbers and ranges such as "0-3,7"', written);
  }
  return written;
}

function unifiedFiles(value: Readonly<Record<string, string>> | undefined, field: string): Record<string, string> {
  const files = textMap(value, field);
  for (const name of Object.keys(files)) {
    if (name.includes("/")) refuse(at(field, name), "must be the name of a file in the cgroup, without '/'");
  }
  return files;
}

export function int64(value: bigint): Long {
  return Long.fromString(String(value));
}
