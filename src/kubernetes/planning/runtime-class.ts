import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { KubernetesObjects } from "../manifest/objects.js";
import type { PodManifest } from "../manifest/pod.js";
import { type Amounts, amountsOf } from "./amounts.js";

/** Returns the runtime handler and the overhead of a pod. A missing RuntimeClass becomes a fault. */
export function runtimeClassOf(
  { spec }: PodManifest,
  objects: KubernetesObjects,
  faults: ManifestFaults,
): { runtimeHandler: string; overhead: Amounts | undefined } {
  const name = spec.runtimeClassName;
  const found = name ? objects.runtimeClasses?.findLast(({ metadata }) => metadata.name === name) : undefined;
  if (name && found === undefined) {
    const missing = { kind: "RuntimeClass", name } as const;
    faults.add("spec.runtimeClassName", `the RuntimeClass ${name} is not among the objects; add it`, missing);
  }
  const overhead = spec.overhead ?? found?.overhead?.podFixed;
  return {
    runtimeHandler: found?.handler ?? "",
    overhead: overhead && amountsOf(overhead, "spec.overhead"),
  };
}
