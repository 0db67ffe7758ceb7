import {
  InvalidManifestError,
  type ManifestFault,
} from "../../../../src/kubernetes/manifest/invalid-manifest-error.js";
import { type ReadManifestsOptions, readManifests } from "../../../../src/kubernetes/reading/read-manifests.js";

/** Returns the faults of manifests; none if they are valid. */
export function faultsOf(
  input: string | Uint8Array | object,
  options?: ReadManifestsOptions,
): readonly ManifestFault[] {
  try {
    readManifests(input, options);
    return [];
  } catch (error) {
    if (error instanceof InvalidManifestError) return error.faults;
    throw error;
  }
}

/** Returns the faults as `path: message`. */
export function messagesOf(input: string | object, options?: ReadManifestsOptions): string[] {
  return faultsOf(input, options).map(({ path, message }) => `${path}: ${message}`);
}

/** Returns the faults of a pod with these fields in its `spec`, without `spec.` before the path. */
export function faultsOfSpec(spec: string): string[] {
  const messages = messagesOf(`{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {${spec}}}`);
  return messages.map((message) => message.replace(/^spec\./, ""));
}

/** Returns the faults of a container with these fields, without `spec.containers[0].` before the path. */
export function faultsOfContainer(fields: string, pod = "volumes: [{name: v}]"): string[] {
  const messages = faultsOfSpec(`containers: [{name: c, image: i, ${fields}}], ${pod}`);
  return messages.map((message) => message.replace(/^containers\[0\]\./, ""));
}
