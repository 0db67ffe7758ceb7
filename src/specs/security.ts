import {
  LinuxContainerSecurityContext,
  LinuxSandboxSecurityContext,
  Long,
  type NamespaceOption,
  SecurityProfile_ProfileType as ProfileType,
  SELinuxOption,
  SecurityProfile,
  SupplementalGroupsPolicy,
} from "../proto.js";
import { type CapabilitiesSpec, toCapabilities } from "./capabilities.js";
import {
  absolutePath,
  at,
  type FieldsOf,
  flag,
  integer,
  invalid,
  isSet,
  list,
  maxUint32,
  object,
  refuse,
  requiredText,
  text,
  word,
} from "./check.js";

/**
 * A seccomp or AppArmor profile: the runtime's own, none, or one on the node. A local seccomp profile is the absolute path of
 * a JSON file (a kubelet makes it absolute, a runtime does not); a local AppArmor profile is the name of a loaded profile.
 */
export type ProfileSpec = "RuntimeDefault" | "Unconfined" | { localhostProfile: string };

/** Parts of an SELinux label. */
export interface SELinuxSpec {
  user?: string | undefined;
  role?: string | undefined;
  type?: string | undefined;
  level?: string | undefined;
}

/** What pods and containers have in common. Containers take over what their pod says unless they say otherwise. */
export interface SecuritySpec {
  /** All capabilities, all devices, nothing masked. A container can only be privileged in a privileged pod. @defaultValue false */
  privileged?: boolean | undefined;
  /** The root file system cannot be written to; independent of {@link privileged}. @defaultValue false */
  readOnlyRootFilesystem?: boolean | undefined;
  /** User id. For a name of the image's `/etc/passwd`, see {@link ContainerSecuritySpec.runAsUserName}. @defaultValue the image's user */
  runAsUser?: number | undefined;
  /** Group id; CRI wants a user beside it. @defaultValue the user's primary group */
  runAsGroup?: number | undefined;
  /** Group ids on top. */
  supplementalGroups?: readonly number[] | undefined;
  /**
   * Whether the groups that the image's `/etc/group` gives the user count as well (`"Merge"`) or not (`"Strict"`).
   * Since Kubernetes 1.31; older runtimes always merge. @defaultValue "Merge"
   */
  supplementalGroupsPolicy?: "Merge" | "Strict" | undefined;
  /** System call filter. @defaultValue "RuntimeDefault", as a kubelet with `seccompDefault` has it; "Unconfined" for a privileged container */
  seccomp?: ProfileSpec | undefined;
  /** AppArmor profile, on nodes that have AppArmor. @defaultValue left to the runtime: its default profile where AppArmor is on */
  apparmor?: ProfileSpec | undefined;
  /** SELinux label, on nodes that have SELinux. @defaultValue the runtime's choice */
  selinux?: SELinuxSpec | undefined;
}

/** The security settings of a container. */
export interface ContainerSecuritySpec extends SecuritySpec {
  /** Name of a user in the image's `/etc/passwd`; not together with {@link runAsUser}. */
  runAsUserName?: string | undefined;
  capabilities?: CapabilitiesSpec | undefined;
  /** `false` sets no_new_privs: set-uid programs gain nothing. Not together with {@link privileged}. @defaultValue true */
  allowPrivilegeEscalation?: boolean | undefined;
  /**
   * Paths that read as empty. Runtimes mask exactly what a request lists, so an empty list masks nothing (what a manifest
   * calls `procMount: Unmasked`). @defaultValue {@link defaultMaskedPaths}; nothing for a privileged container
   */
  maskedPaths?: readonly string[] | undefined;
  /** Paths that cannot be written to. @defaultValue {@link defaultReadonlyPaths}; nothing for a privileged container */
  readonlyPaths?: readonly string[] | undefined;
}

/** What Docker and kubelets mask: kernel interfaces that leak about the node. */
export const defaultMaskedPaths: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

/** What Docker and kubelets keep from being written: kernel interfaces that change the node. */
export const defaultReadonlyPaths: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

const commonFields: FieldsOf<SecuritySpec> = {
  privileged: true,
  readOnlyRootFilesystem: true,
  runAsUser: true,
  runAsGroup: true,
  supplementalGroups: true,
  supplementalGroupsPolicy: true,
  seccomp: true,
  apparmor: true,
  selinux: true,
};

const containerFields: FieldsOf<ContainerSecuritySpec> = {
  ...commonFields,
  runAsUserName: true,
  capabilities: true,
  allowPrivilegeEscalation: true,
  maskedPaths: true,
  readonlyPaths: true,
};

/** The security context of a pod sandbox. */
export function toPodSecurity(
  spec: SecuritySpec | undefined,
  field: string,
  namespaces: NamespaceOption,
): LinuxSandboxSecurityContext {
  const given = isSet(spec) ? object(spec, field, commonFields) : {};
  const common = commonSettings(given, field);
  if (common.runAsGroup !== undefined && common.runAsUser === undefined) needsUser(field);
  return LinuxSandboxSecurityContext.create({
    ...common,
    seccomp: common.seccomp ?? profile("RuntimeDefault"),
    namespaceOptions: namespaces,
  });
}

/**
 * The security context of a container. User, groups, SELinux label and profiles come from the pod where the container does not
 * say otherwise, as in Kubernetes.
 */
export function toContainerSecurity(
  spec: ContainerSecuritySpec | undefined,
  field: string,
  namespaces: NamespaceOption,
  pod: LinuxSandboxSecurityContext | undefined,
): LinuxContainerSecurityContext {
  const given = isSet(spec) ? object(spec, field, containerFields) : {};
  const common = commonSettings(given, field);
  const { privileged } = common;
  const escalation = at(field, "allowPrivilegeEscalation");
  const noNewPrivs = isSet(given.allowPrivilegeEscalation) && !flag(given.allowPrivilegeEscalation, escalation);
  if (privileged && noNewPrivs) {
    refuse(escalation, "cannot be false for a privileged container");
  }
  const runAsUsername = text(given.runAsUserName, at(field, "runAsUserName"));
  if (runAsUsername !== "" && common.runAsUser !== undefined) {
    refuse(at(field, "runAsUserName"), "cannot be set together with runAsUser: drop one");
  }
  const runAsUser = common.runAsUser ?? (runAsUsername === "" ? pod?.runAsUser : undefined);
  const runAsGroup = common.runAsGroup ?? pod?.runAsGroup;
  const nobody = runAsUser === undefined && runAsUsername === "";
  if (nobody && runAsGroup !== undefined && pod !== undefined) needsUser(field);
  const isolate = (paths: readonly string[] | undefined, name: string, standard: readonly string[]) =>
    isSet(paths)
      ? list(paths, at(field, name)).map((path, index) => absolutePath(path, at(at(field, name), index)))
      : privileged
        ? []
        : [...standard];

  return LinuxContainerSecurityContext.create({
    ...common,
    readonlyRootfs: isSet(given.readOnlyRootFilesystem) ? common.readonlyRootfs : (pod?.readonlyRootfs ?? false),
    runAsUser,
    runAsGroup,
    runAsUsername,
    supplementalGroups: isSet(given.supplementalGroups) ? common.supplementalGroups : (pod?.supplementalGroups ?? []),
    supplementalGroupsPolicy: isSet(given.supplementalGroupsPolicy)
      ? common.supplementalGroupsPolicy
      : (pod?.supplementalGroupsPolicy ?? SupplementalGroupsPolicy.Merge),
    seccomp: common.seccomp ?? (privileged ? profile("Unconfined") : (pod?.seccomp ?? profile("RuntimeDefault"))),
    apparmor: common.apparmor ?? (privileged ? undefined : pod?.apparmor),
    selinuxOptions: common.selinuxOptions ?? pod?.selinuxOptions,
    capabilities: toCapabilities(given.capabilities, at(field, "capabilities")),
    noNewPrivs,
    maskedPaths: isolate(given.maskedPaths, "maskedPaths", defaultMaskedPaths),
    readonlyPaths: isolate(given.readonlyPaths, "readonlyPaths", defaultReadonlyPaths),
    namespaceOptions: namespaces,
  });
}

function commonSettings(spec: SecuritySpec, field: string) {
  return {
    privileged: flag(spec.privileged, at(field, "privileged")),
    readonlyRootfs: flag(spec.readOnlyRootFilesystem, at(field, "readOnlyRootFilesystem")),
    runAsUser: id(spec.runAsUser, at(field, "runAsUser"), "; a name goes into runAsUserName of the container"),
    runAsGroup: id(spec.runAsGroup, at(field, "runAsGroup"), ""),
    supplementalGroups: list(spec.supplementalGroups, at(field, "supplementalGroups")).map((group, index) =>
      requiredId(group, at(at(field, "supplementalGroups"), index)),
    ),
    supplementalGroupsPolicy: word(
      spec.supplementalGroupsPolicy,
      at(field, "supplementalGroupsPolicy"),
      { Merge: SupplementalGroupsPolicy.Merge, Strict: SupplementalGroupsPolicy.Strict },
      SupplementalGroupsPolicy.Merge,
    ),
    seccomp: toProfile(spec.seccomp, at(field, "seccomp"), absolutePath),
    apparmor: toProfile(spec.apparmor, at(field, "apparmor"), requiredText),
    selinuxOptions: toSELinux(spec.selinux, at(field, "selinux")),
  };
}

function needsUser(field: string): never {
  return refuse(at(field, "runAsGroup"), "needs runAsUser beside it");
}

function id(value: number | undefined, field: string, remedy: string): { value: Long } | undefined {
  if (!isSet(value)) return undefined;
  if (typeof value === "string") invalid(field, `must be a whole number${remedy}`, value);
  return { value: requiredId(value, field) };
}

function requiredId(value: number, field: string): Long {
  if (!isSet(value)) return invalid(field, "must be a whole number", value);
  return Long.fromNumber(integer(value, field, 0, maxUint32, 0));
}

function profile(type: "RuntimeDefault" | "Unconfined"): SecurityProfile {
  return SecurityProfile.create({ profileType: ProfileType[type] });
}

function toProfile(
  value: ProfileSpec | undefined,
  field: string,
  checkName: (value: unknown, field: string) => string,
): SecurityProfile | undefined {
  if (!isSet(value)) return undefined;
  if (typeof value === "object") {
    const { localhostProfile } = object(value, field, { localhostProfile: true });
    return SecurityProfile.create({
      profileType: ProfileType.Localhost,
      localhostRef: checkName(localhostProfile, at(field, "localhostProfile")),
    });
  }
  const types = { RuntimeDefault: ProfileType.RuntimeDefault, Unconfined: ProfileType.Unconfined };
  if (typeof value !== "string" || !Object.hasOwn(types, value)) {
    invalid(field, 'must be "RuntimeDefault", "Unconfined" or { localhostProfile }', value);
  }
  return SecurityProfile.create({ profileType: types[value] });
}

function toSELinux(spec: SELinuxSpec | undefined, field: string): SELinuxOption | undefined {
  if (!isSet(spec)) return undefined;
  const { user, role, type, level } = object(spec, field, { user: true, role: true, type: true, level: true });
  return SELinuxOption.create({
    user: text(user, at(field, "user")),
    role: text(role, at(field, "role")),
    type: text(type, at(field, "type")),
    level: text(level, at(field, "level")),
  });
}
