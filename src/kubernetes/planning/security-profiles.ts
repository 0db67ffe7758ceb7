import { posix } from "node:path";
import { SecurityProfile_ProfileType as ProfileType, SecurityProfile } from "../../proto.js";
import type { ContainerManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import type { AppArmorProfileManifest, SeccompProfileManifest } from "../manifest/security.js";
import type { NodeConfig } from "../node/node-config.js";

/** Returns the seccomp profile of a container: its own, else its pod's, else the node's default. */
export function seccompProfileOf(pod: PodManifest, container: ContainerManifest, node: NodeConfig): SecurityProfile {
  const profile: SeccompProfileManifest = container.securityContext?.seccompProfile ??
    pod.spec.securityContext?.seccompProfile ?? { type: node.seccompDefault ? "RuntimeDefault" : "Unconfined" };
  const localhostRef =
    profile.type === "Localhost" ? posix.join(node.seccompDirectory, profile.localhostProfile ?? "") : "";
  return SecurityProfile.create({ profileType: ProfileType[profile.type], localhostRef });
}

/** The AppArmor profile of a container in the field of today, and in the deprecated one for older runtimes. */
export interface AppArmor {
  apparmor: SecurityProfile | undefined;
  apparmorProfile: string;
}

/** Returns the AppArmor profile of a container: its own, else that of its old annotation, else its pod's. */
export function appArmorOf({ metadata, spec }: PodManifest, container: ContainerManifest): AppArmor {
  const annotation = metadata.annotations?.[`container.apparmor.security.beta.kubernetes.io/${container.name}`];
  const profile =
    container.securityContext?.appArmorProfile ?? fromAnnotation(annotation) ?? spec.securityContext?.appArmorProfile;
  if (profile === undefined) return { apparmor: undefined, apparmorProfile: "" };
  const localhostRef = profile.type === "Localhost" ? (profile.localhostProfile ?? "") : "";
  const deprecated = {
    RuntimeDefault: "runtime/default",
    Unconfined: "unconfined",
    Localhost: `localhost/${localhostRef}`,
  };
  return {
    apparmor: SecurityProfile.create({ profileType: ProfileType[profile.type], localhostRef }),
    apparmorProfile: deprecated[profile.type],
  };
}

function fromAnnotation(value: string | undefined): AppArmorProfileManifest | undefined {
  if (value === "runtime/default") return { type: "RuntimeDefault" };
  if (value === "unconfined") return { type: "Unconfined" };
  const localhostProfile = value?.startsWith("localhost/") ? value.slice("localhost/".length) : undefined;
  return localhostProfile === undefined ? undefined : { type: "Localhost", localhostProfile };
}
