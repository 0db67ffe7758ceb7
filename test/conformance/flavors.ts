/**
 * On which fakes the journeys are run.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";

/** There is no CRI-O here to compare its flavour with. */
export const conformingFlavors = ["containerd-1.6", "containerd-1.7", "containerd-2"] as const satisfies FakeFlavor[];

export type ConformingFlavor = (typeof conformingFlavors)[number];

/** Files about what the flavours of a fake do in ways of their own. What is in the others goes through the same code in all of them. */
const aboutFlavors = new Set([
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

/** The flavours that the journeys of a file are run on every time; with `CRI_TEST_THOROUGH=1` it is all of them. */
export function usualFlavors(file: string): readonly ConformingFlavor[] {
  return aboutFlavors.has(file) ? conformingFlavors : conformingFlavors.slice(-1);
}
