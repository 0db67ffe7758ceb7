import { refuse } from "../../input/check.js";
import type { PodManifest } from "../manifest/pod.js";
import { createReader } from "./read-manifests.js";

/**
 * Checks a pod that a caller passed, and returns a copy.
 *
 * @throws InvalidManifestError with all faults
 */
export function checkPod(pod: PodManifest): PodManifest {
  const reader = createReader({});
  reader.read({ value: pod, path: [] });
  const [checked, ...others] = reader.finish().pods;
  if (checked === undefined || others.length > 0) refuse("pod", "must be one Pod");
  return checked;
}
