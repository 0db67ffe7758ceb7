/**
 * Selects the fakes that the journeys of each file run on.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";

/** All flavours. The newest containerd is last, because journeys with `newestOnly` use the last flavour. */
export const conformingFlavors = [
  "cri-o",
  "cri-dockerd",
  "containerd-1.6",
  "containerd-1.7",
  "containerd-2",
] as const satisfies FakeFlavor[];

export type ConformingFlavor = (typeof conformingFlavors)[number];

/** Files whose journeys depend on the version of containerd. */
const versionDependent = new Set([
  "ambiguous-create",
  "capabilities",
  "events",
  "lifecycle",
  "pod-settings",
  "propagation",
  "raw",
  "stats",
  "tls",
]);

/** Files whose journeys differ between containerd, CRI-O and Docker. */
const runtimeDependent = new Set([
  "ambiguous-create",
  "borrowed",
  "capabilities",
  "exec",
  "images",
  "lifecycle",
  "logs",
  "ownership",
  "process",
  "sessions",
  "stats",
  "stopping",
  "usage",
  "wait",
]);

/** Returns the flavours on which each run tests a file. `CRI_TEST_THOROUGH=1` tests all flavours. */
export function usualFlavors(file: string): readonly ConformingFlavor[] {
  return conformingFlavors.filter((flavor) => {
    if (flavor === "containerd-2") return true;
    return (flavor.startsWith("containerd") ? versionDependent : runtimeDependent).has(file);
  });
}
