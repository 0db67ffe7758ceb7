import type { PodManifestSpec } from "../../manifest/pod.js";
import type { Place } from "../schema/place.js";
import type { Draft } from "../schema/schema.js";

type Spec = Draft<PodManifestSpec>;

/** Checks the settings of the host name that exclude each other. */
export function hostnameRules(spec: Spec, at: Place): void {
  if (spec.hostnameOverride === undefined) return;
  const place = at.at("hostnameOverride");
  if (spec.hostNetwork) place.fault("must not be set with hostNetwork: true", "key");
  if (spec.setHostnameAsFQDN) place.fault("must not be set with setHostnameAsFQDN: true", "key");
}

/** Checks the namespaces of a pod that exclude each other. */
export function namespaceRules(spec: Spec, at: Place): void {
  if (spec.shareProcessNamespace && spec.hostPID) {
    at.at("shareProcessNamespace").fault("must not be true with hostPID: true");
  }
  if (spec.hostUsers !== false) return;
  for (const field of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (spec[field]) at.at(field).fault("must not be true with hostUsers: false");
  }
}
