/**
 * On which fakes the journeys are run.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";

/** All flavours of a fake. The newest containerd comes last: journeys for the newest runtime only take the last one. */
export const conformingFlavors = [
  "cri-o",
  "cri-dockerd",
  "containerd-1.6",
  "containerd-1.7",
  "containerd-2",
] as const satisfies FakeFlavor[];

export type ConformingFlavor = (typeof conformingFlavors)[number];

/** The files in which versions of containerd differ. */
const aboutVersions = new Set([
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

/** The files in which CRI-O and Docker differ from containerd. */
const aboutRuntimes = new Set([
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

/** The flavours that the journeys of a file run on every time. `CRI_TEST_THOROUGH=1` runs them on all. */
export function usualFlavors(file: string): readonly ConformingFlavor[] {
  return conformingFlavors.filter((flavor) => {
    if (flavor === "containerd-2") return true;
    return (flavor.startsWith("containerd") ? aboutVersions : aboutRuntimes).has(file);
  });
}
