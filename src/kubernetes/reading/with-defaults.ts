import type { PodManifest } from "../manifest/pod.js";
import { checkPod } from "./check-pod.js";
import { podWithDefaults } from "./defaults/pod.js";

/**
 * Fills in the defaults of the Kubernetes API, as an API server does: pull policies, probes, protocols, modes of files, requests
 * from limits and so on. Does not add what a cluster's admission plugins add, such as the volume of the service account. Filling
 * them in twice changes nothing.
 *
 * @param pod a pod, such as those of `readManifests`; it is not changed
 * @throws InvalidManifestError with all faults of the pod
 */
export function withDefaults(pod: PodManifest): PodManifest {
  return podWithDefaults(checkPod(pod));
}
