import { isRecord } from "../../../internal/record.js";
import type { ContainerManifest } from "../../manifest/container.js";
import type { PodManifestSpec } from "../../manifest/pod.js";
import type { ContainerSecurityContextManifest } from "../../manifest/security.js";
import type { Place } from "../schema/place.js";
import type { Check } from "../schema/scalars.js";
import type { Draft } from "../schema/schema.js";

/** Names of capabilities, with or without `CAP_`. The runtime knows which ones exist. */
export const capabilityName: Check = (value) =>
  /^[A-Za-z0-9_]+$/.test(value) ? undefined : "must be the name of a capability, such as NET_ADMIN";

/** Checks that a profile has a file or a name if, and only if, it is one of the node. */
export function localhostProfile(
  profile: { type?: string | undefined; localhostProfile?: string | undefined },
  at: Place,
): void {
  if (profile.type === undefined) return;
  const isSet = Object.hasOwn(profile, "localhostProfile");
  if (profile.type === "Localhost" && !isSet) at.at("localhostProfile").fault("is required with type: Localhost");
  if (profile.type !== "Localhost" && isSet)
    at.at("localhostProfile").fault("is allowed with type: Localhost only", "key");
}

/** Checks that a container does not ask for privileges and for no more of them. */
export function privileges(
  { privileged, capabilities, allowPrivilegeEscalation }: Draft<ContainerSecurityContextManifest>,
  at: Place,
): void {
  if (allowPrivilegeEscalation !== false) return;
  const place = at.at("allowPrivilegeEscalation");
  if (privileged) place.fault("must not be false with privileged: true");
  // The API server accepts "SYS_ADMIN".
  if (capabilities?.add?.includes("CAP_SYS_ADMIN")) place.fault("must not be false with the capability CAP_SYS_ADMIN");
}

/** Checks the security context of a container together with the pod's. */
export function containerInPod(container: Draft<ContainerManifest>, spec: Draft<PodManifestSpec>, at: Place): void {
  const own = container.securityContext ?? {};
  const ofPod = spec.securityContext ?? {};
  const nonRoot = own.runAsNonRoot ?? ofPod.runAsNonRoot;
  if (nonRoot && (own.runAsUser ?? ofPod.runAsUser) === 0) {
    at.at("securityContext", "runAsNonRoot").fault("runAsUser is 0; set runAsUser to another id");
  }
  if (own.procMount === "Unmasked" && spec.hostUsers !== false) {
    at.at("securityContext", "procMount").fault('"Unmasked" needs spec.hostUsers: false');
  }
}

/** Sysctls by the namespace of the host that they would change. */
const namespaces = [
  { field: "hostNetwork", what: "a network", names: /^net[./]/ },
  { field: "hostIPC", what: "an IPC namespace", names: /^(kernel[./](shm|msg|sem)|fs[./]mqueue[./])/ },
] as const;

/** Checks that the sysctls of a pod are in its own namespaces. */
export function sysctlsInPod(spec: Draft<PodManifestSpec>, at: Place): void {
  for (const [index, sysctl] of (spec.securityContext?.sysctls ?? []).entries()) {
    if (!isRecord(sysctl) || typeof sysctl.name !== "string") continue;
    for (const { field, what, names } of namespaces) {
      if (!spec[field] || !names.test(sysctl.name)) continue;
      const place = at.at("securityContext", "sysctls", index, "name");
      place.fault(`${sysctl.name} needs ${what} of the pod's own: drop ${field} or the sysctl`);
    }
  }
}
