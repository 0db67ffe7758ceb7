import { refuse } from "../../input/check.js";
import { isRecord } from "../../internal/record.js";
import type { PodManifest } from "../manifest/pod.js";
import { createReader } from "./read-manifests.js";

/**
 * Checks a pod that a caller passed, and returns a copy. A pod of a list from an API server states no kind.
 *
 * @throws InvalidManifestError with all faults
 */
export function checkPod(pod: PodManifest): PodManifest {
  const given: unknown = pod;
  const statesKind = !isRecord(given) || (given.kind ?? given.apiVersion) !== undefined;
  const reader = createReader({});
  reader.read({ value: statesKind ? given : { apiVersion: "v1", kind: "Pod", ...given }, path: [] });
  const [checked, ...others] = reader.finish().pods;
  if (checked === undefined || others.length > 0) refuse("pod", "must be one Pod");
  return checked;
}
