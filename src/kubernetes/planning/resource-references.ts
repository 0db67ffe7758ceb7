import { milliUnits, wholeUnits } from "../../specs/quantity.js";
import type { ContainerManifest, QuantityManifest, ResourceReferenceManifest } from "../manifest/container.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { PodContext } from "./pod-context.js";

const supported = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/;

/** Resources whose limit is what the pod or the node has, if it is not set. */
const shared: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

/** The container that a `resourceFieldRef` means. */
export interface ResourceOwner {
  container: ContainerManifest;
  /** Whether limits that are not set are the pod's, or else the node's allocatable resources. */
  defaultLimits: boolean;
}

/**
 * Returns the value of a `resourceFieldRef`: the quantity divided by the divisor, rounded up. Requests that are not set are 0.
 * Unknown containers, unknown resources and malformed quantities become faults.
 */
export function resourceValue(
  context: PodContext,
  owner: ResourceOwner | undefined,
  { containerName, resource, divisor = 0 }: ResourceReferenceManifest,
  path: string,
  faults: ManifestFaults,
): string | undefined {
  if (owner === undefined) {
    faults.add(`${path}.containerName`, `names no container of the pod, got ${JSON.stringify(containerName ?? "")}`);
    return undefined;
  }
  const [, kind, name] = supported.exec(resource) ?? [];
  if (kind === undefined || name === undefined) {
    const names = "limits or requests of cpu, memory, ephemeral-storage or hugepages-<size>, such as limits.cpu";
    faults.add(`${path}.resource`, `must be ${names}, got ${JSON.stringify(resource)}`);
    return undefined;
  }
  const units = name === "cpu" ? milliUnits : wholeUnits;
  return faults.collect(() => {
    let value = units(owner.container.resources?.[kind as "limits" | "requests"]?.[name] ?? 0, path);
    if (value === 0n && kind === "limits" && owner.defaultLimits && shared.has(name)) {
      value = units(availableTo(context, name), path);
    }
    const by = units(divisor, `${path}.divisor`);
    // A kubelet divides in floating point, too: the results agree even beyond 2^53.
    return String(BigInt(Math.ceil(Number(value) / Number(by === 0n ? units(1, path) : by))));
  });
}

/** Finds a container of the pod by name. */
export function containerNamed({ pod: { spec } }: PodContext, name: string | undefined): ContainerManifest | undefined {
  return [...spec.containers, ...(spec.initContainers ?? [])].find((container) => container.name === name);
}

function availableTo({ pod, node }: PodContext, name: string): QuantityManifest {
  // Pods have no limit of ephemeral storage.
  const ofPod = name === "ephemeral-storage" ? undefined : pod.spec.resources?.limits?.[name];
  const isSet = ofPod !== undefined && wholeUnits(ofPod, `spec.resources.limits.${name}`) > 0n;
  return isSet ? ofPod : (node.allocatable[name] ?? 0);
}
