import {
  type Int64Value,
  LinuxSandboxSecurityContext,
  type NamespaceOption,
  type SELinuxOption,
  SELinuxOption as SELinuxOptionMessage,
  SecurityProfile,
  SupplementalGroupsPolicy,
} from "../../proto.js";
import { int64 } from "../../specs/resources.js";
import type { PodManifest, PodSecurityContextManifest } from "../manifest/pod.js";
import type { SelinuxManifest } from "../manifest/security.js";

/** Returns the security settings of the sandbox. Its own process always runs with the runtime's default seccomp profile. */
export function sandboxSecurity({ spec }: PodManifest, namespaceOptions: NamespaceOption): LinuxSandboxSecurityContext {
  const pod = spec.securityContext ?? {};
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  return LinuxSandboxSecurityContext.create({
    namespaceOptions,
    selinuxOptions: selinux(pod.seLinuxOptions),
    runAsUser: id(pod.runAsUser),
    runAsGroup: id(pod.runAsGroup),
    ...groupsOf(pod),
    privileged: all.some(({ securityContext }) => securityContext?.privileged === true),
    seccomp: SecurityProfile.create(),
  });
}

/** Returns the groups of all processes of a pod. The group of the volumes comes first. */
export function groupsOf({
  fsGroup,
  supplementalGroups,
  supplementalGroupsPolicy,
}: PodSecurityContextManifest): Pick<LinuxSandboxSecurityContext, "supplementalGroups" | "supplementalGroupsPolicy"> {
  const groups = [...(fsGroup === undefined ? [] : [fsGroup]), ...(supplementalGroups ?? [])];
  return {
    supplementalGroups: groups.map((group) => int64(BigInt(group))),
    supplementalGroupsPolicy: SupplementalGroupsPolicy[supplementalGroupsPolicy ?? "Merge"],
  };
}

export function id(value: number | bigint | undefined): Int64Value | undefined {
  return value === undefined ? undefined : { value: int64(BigInt(value)) };
}

export function selinux(options: SelinuxManifest | undefined): SELinuxOption | undefined {
  if (options === undefined) return undefined;
  const { user = "", role = "", type = "", level = "" } = options;
  return SELinuxOptionMessage.create({ user, role, type, level });
}
