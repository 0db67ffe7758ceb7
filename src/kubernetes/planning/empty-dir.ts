import { wholeUnits } from "../../specs/quantity.js";
import type { ResourcesManifest } from "../manifest/container.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { EmptyDirManifest } from "../manifest/volume.js";
import type { PodContext } from "./pod-context.js";
import type { VolumePlan } from "./pod-plan-types.js";

type MediumPlan = Pick<Extract<VolumePlan, { kind: "emptyDir" }>, "medium" | "sizeLimitBytes" | "pageSizeBytes">;

/** Plans the medium of an `emptyDir` volume and its sizes. */
export function mediumOf(
  context: PodContext,
  { medium = "", sizeLimit = 0 }: EmptyDirManifest,
  path: string,
  faults: ManifestFaults,
): MediumPlan {
  const limit = faults.collect(() => wholeUnits(sizeLimit, `${path}.sizeLimit`)) ?? 0n;
  const sizeLimitBytes = limit > 0n ? limit : undefined;
  if (medium === "") return { medium: "disk", sizeLimitBytes };
  if (medium === "Memory") return { medium: "memory", sizeLimitBytes: memorySize(context, limit) };
  const [isHugePages, size] = /^HugePages(?:-(.+))?$/.exec(medium) ?? [];
  if (isHugePages === undefined) {
    const media = '"", "Memory", "HugePages" or "HugePages-<size>"';
    faults.add(`${path}.medium`, `must be ${media}, got ${JSON.stringify(medium)}`);
    return { medium: "disk", sizeLimitBytes };
  }
  const pageSizeBytes = faults.collect(() => pageSize(context, size, `${path}.medium`, faults));
  return { medium: "hugePages", sizeLimitBytes, pageSizeBytes };
}

/** Returns the size of a tmpfs: the smallest of the volume's limit, the pod's memory limit and the node's allocatable memory. */
function memorySize({ node, podMemoryLimitBytes = 0n }: PodContext, limit: bigint): bigint | undefined {
  const allocatable = wholeUnits(node.allocatable.memory ?? 0, "node.allocatable.memory");
  const sizes = [limit, podMemoryLimitBytes, allocatable].filter((size) => size > 0n);
  return sizes.length === 0 ? undefined : sizes.reduce((least, size) => (size < least ? size : least));
}

/** Returns the page size of a hugetlbfs, which must be one that the pod requests. */
function pageSize(
  { pod: { spec } }: PodContext,
  wanted: string | undefined,
  path: string,
  faults: ManifestFaults,
): bigint | undefined {
  const owners = [spec, ...spec.containers, ...(spec.initContainers ?? [])];
  const requested = new Set(owners.flatMap(({ resources }) => pageSizes(resources, path)));
  const [only] = requested;
  if (wanted !== undefined) {
    const size = wholeUnits(wanted, path);
    if (requested.has(size)) return size;
    faults.add(path, `no container requests huge pages of this size; add the limit hugepages-${wanted}`);
  } else if (requested.size === 1) {
    return only;
  } else if (requested.size === 0) {
    faults.add(path, "no container requests huge pages; add a limit such as hugepages-2Mi");
  } else {
    faults.add(path, "the containers request several sizes of huge pages; name one, such as HugePages-2Mi");
  }
  return undefined;
}

// The requests of huge pages equal their limits.
function pageSizes({ limits, requests }: ResourcesManifest = {}, path: string): bigint[] {
  const names = Object.keys({ ...limits, ...requests }).filter((name) => name.startsWith("hugepages-"));
  return names.map((name) => wholeUnits(name.slice("hugepages-".length), path));
}
