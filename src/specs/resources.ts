import { integer, invalid, isSet, optionalString, refuse, stringMap } from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import { fieldPath } from "../internal/field-names.js";
import { isRecord } from "../internal/record.js";
import { type HugepageLimit, LinuxContainerResources, Long } from "../proto.js";
import { maxInt64, milliUnits, type Quantity, wholeUnits } from "./quantity.js";

/** Resources that a container is guaranteed. */
export interface ResourceRequests {
  /** Cores; sets the share of CPU time under contention. @defaultValue the limit */
  cpu?: Quantity | undefined;
  /** Bytes. Must not exceed the limit. Has no other effect, because CRI has no field for it. @defaultValue the limit */
  memory?: Quantity | undefined;
}

/** Resources that a container cannot exceed. Limits of huge pages are in bytes for a page size: `"hugepages-2Mi": "64Mi"`. */
export interface ResourceLimits {
  /** Cores, enforced by throttling in periods of 100 ms. At least 10 millicores take effect. @defaultValue unlimited */
  cpu?: Quantity | undefined;
  /** Bytes, enforced by the OOM killer. @defaultValue unlimited */
  memory?: Quantity | undefined;
  [hugepages: `hugepages-${string}`]: Quantity | undefined;
}

/**
 * Resources of a container or pod, converted as in a kubelet. Windows containers accept only the limits of `cpu` and `memory`.
 * The runtime decides about fields that are not set. Unlike a kubelet, this package does not set the minimum of 2 CPU shares for
 * a container without CPU request and limit.
 */
export interface ResourcesSpec {
  requests?: ResourceRequests | undefined;
  limits?: ResourceLimits | undefined;
  /** CPUs to run on, as a list of ranges such as `"0-3,7"`. @defaultValue all */
  cpusetCpus?: string | undefined;
  /** NUMA nodes to take memory from, as a list of ranges. @defaultValue all */
  cpusetMems?: string | undefined;
  /**
   * Bytes of memory and swap together. Requires a memory limit, and must not be less than that limit. @defaultValue the runtime's
   * choice
   */
  memoryAndSwapLimit?: Quantity | undefined;
  /**
   * The priority with which the kernel kills the container if the node runs out of memory, from -1000 (never) to 1000 (first).
   * @defaultValue 0
   */
  oomScoreAdj?: number | undefined;
  /**
   * Files of cgroup v2 with the values to write into them, such as `{ "memory.high": "104857600" }`. Ignored or refused on cgroup
   * v1.
   */
  unified?: Readonly<Record<string, string>> | undefined;
}

/** CPU and memory that a pod needs beyond its containers, for example for a virtual machine. */
export interface OverheadSpec {
  /** Cores. */
  cpu?: Quantity | undefined;
  /** Bytes. */
  memory?: Quantity | undefined;
}

/** The fields of {@link ResourcesSpec}. */
export const resourceFields: FieldsOf<ResourcesSpec> = {
  requests: true,
  limits: true,
  cpusetCpus: true,
  cpusetMems: true,
  memoryAndSwapLimit: true,
  oomScoreAdj: true,
  unified: true,
};

/** Converts resources for Linux; returns `undefined` if they are not set. */
export function toLinuxResources(
  spec: ResourcesSpec | null | undefined,
  field: string,
): LinuxContainerResources | undefined {
  if (!isSet(spec)) return undefined;
  const resources = new ObjectReader(spec, field, resourceFields);
  const { requests, limits, memory } = requestsAndLimits(resources, true);
  return LinuxContainerResources.create({
    ...cpuTime(requests.cpu ?? limits.cpu, limits.cpu, fieldPath(resources.path("limits"), "cpu")),
    memoryLimitInBytes: int64(memory),
    memorySwapLimitInBytes: int64(resources.optional("memoryAndSwapLimit", swapLimit, memory) ?? 0n),
    oomScoreAdj: Long.fromNumber(resources.read("oomScoreAdj", integer, -1000, 1000, 0)),
    cpusetCpus: resources.read("cpusetCpus", ranges),
    cpusetMems: resources.read("cpusetMems", ranges),
    hugepageLimits: limits.hugepages,
    unified: resources.read("unified", unifiedFiles),
  });
}

/** Reads requests and limits and checks them against each other. `memory` is the memory limit in bytes; 0 means none. */
export function requestsAndLimits(resources: ObjectReader<ResourcesSpec>, withHugepages: boolean) {
  const requests = resources.read("requests", amounts, false);
  const limits = resources.read("limits", amounts, withHugepages);
  for (const name of ["cpu", "memory"] as const) {
    const limit = limits[name];
    if (isSet(requests[name]) && isSet(limit) && limit > 0n && requests[name] > limit) {
      refuse(fieldPath(resources.path("requests"), name), "must not exceed the limit");
    }
  }
  return { requests, limits, memory: memoryLimit(limits.memory, fieldPath(resources.path("limits"), "memory")) };
}

/** Converts a pod's overhead. As in a kubelet, the overhead is both the request and the limit. */
export function toOverhead(spec: OverheadSpec | null | undefined, field: string): LinuxContainerResources | undefined {
  if (!isSet(spec)) return undefined;
  const overhead = new ObjectReader(spec, field, { cpu: true, memory: true });
  const cpu = overhead.optional("cpu", milliUnits);
  return LinuxContainerResources.create({
    ...cpuTime(cpu, cpu, overhead.path("cpu")),
    memoryLimitInBytes: int64(overhead.optional("memory", bytes) ?? 0n),
  });
}

interface Amounts {
  /** Millicores. */
  cpu: bigint | undefined;
  /** Bytes. */
  memory: bigint | undefined;
  hugepages: HugepageLimit[];
}

function amounts(spec: ResourceRequests | ResourceLimits | undefined, field: string, withHugepages: boolean): Amounts {
  if (!isSet(spec)) return { cpu: undefined, memory: undefined, hugepages: [] };
  const { plain, hugepages } = separateHugepages(spec, withHugepages);
  const amount = new ObjectReader(plain as ResourceRequests, field, { cpu: true, memory: true });
  return {
    cpu: amount.optional("cpu", milliUnits),
    memory: amount.optional("memory", bytes),
    hugepages: hugepages
      .filter(([, limit]) => isSet(limit))
      .map(([name, limit]) => toHugepageLimit(limit as Quantity, fieldPath(field, name), name)),
  };
}

function toHugepageLimit(value: Quantity, field: string, name: string): HugepageLimit {
  const size = wholeUnits(name.slice("hugepages-".length), field);
  const limit = wholeUnits(value, field);
  if (size === 0n || limit % size !== 0n) invalid(field, "must be a multiple of the page size", value);
  return { pageSize: pageSize(size), limit: Long.fromString(String(limit), true) };
}

function separateHugepages(spec: unknown, withHugepages: boolean): { plain: unknown; hugepages: [string, unknown][] } {
  if (!withHugepages || !isRecord(spec)) return { plain: spec, hugepages: [] };
  const isHugepages = ([name]: [string, unknown]) => name.startsWith("hugepages-");
  const entries = Object.entries(spec);
  return {
    plain: Object.fromEntries(entries.filter((entry) => !isHugepages(entry))),
    hugepages: entries.filter(isHugepages),
  };
}

/** Formats a page size as runtimes name it: 2097152 → "2MB". */
function pageSize(size: bigint): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  for (; size >= 1024n && size % 1024n === 0n && unit < units.length - 1; unit++) size /= 1024n;
  return `${size}${units[unit]}`;
}

/** Period of CPU throttling, in microseconds. */
const period = 100_000n;
export const clamp = (value: bigint, min: bigint, max: bigint) => (value < min ? min : value > max ? max : value);

/** Converts the request to CPU shares (1024 per core, 2 to 262144), and the limit to a quota per 100 ms (at least 1 ms). */
function cpuTime(request: bigint | undefined, limit: bigint | undefined, field: string) {
  const quota = ((limit ?? 0n) * period) / 1000n;
  if (quota > maxInt64) refuse(field, "is too large");
  return {
    cpuShares: int64(request === undefined ? 0n : clamp((request * 1024n) / 1000n, 2n, 262_144n)),
    cpuPeriod: int64(quota === 0n ? 0n : period),
    cpuQuota: int64(quota === 0n ? 0n : clamp(quota, 1000n, maxInt64)),
  };
}

// crun cannot start a process in less than 500 KiB, and CRI-O requires 12 MiB with runc. A smaller limit most likely lacks its
// suffix.
const minMemory = 500n * 1024n;

/**
 * Converts memory to bytes. Autoscalers write thousandths of a byte, such as "128974848000m", but "128m" most likely means
 * "128M".
 */
function bytes(value: Quantity, field: string): bigint {
  const amount = wholeUnits(value, field);
  if (typeof value === "string" && /[num]$/.test(value) && amount > 0n && amount < minMemory) {
    invalid(field, "is in fractions of a byte and too little memory; did you mean M or Mi?", value);
  }
  return amount;
}

/** Checks a memory limit in bytes. As in Kubernetes, zero means no limit. */
function memoryLimit(limit: bigint | undefined, field: string): bigint {
  if (limit !== undefined && limit > 0n && limit < minMemory) {
    refuse(field, `${limit} bytes are too few for a process to start; did you forget a suffix such as Mi?`);
  }
  return limit ?? 0n;
}

function swapLimit(value: Quantity, field: string, memory: bigint): bigint {
  const limit = bytes(value, field);
  if (memory === 0n) refuse(field, "needs a memory limit: set limits.memory");
  return limit < memory
    ? invalid(field, "counts memory and swap together, so it must not be less than the memory limit", value)
    : limit;
}

function ranges(value: string | undefined, field: string): string {
  const written = optionalString(value, field);
  if (!/^(\d+(-\d+(:\d+\/\d+)?)?(,\d+(-\d+(:\d+\/\d+)?)?)*)?$/.test(written)) {
    invalid(field, 'must be a list of numbers and ranges such as "0-3,7"', written);
  }
  return written;
}

function unifiedFiles(value: Readonly<Record<string, string>> | undefined, field: string): Record<string, string> {
  const files = stringMap(value, field);
  for (const name of Object.keys(files)) {
    if (name.includes("/")) refuse(fieldPath(field, name), "must be the name of a file in the cgroup, without '/'");
  }
  return files;
}

export function int64(value: bigint): Long {
  return Long.fromString(String(value));
}
