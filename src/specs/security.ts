import {
  absolutePath,
  flag,
  integer,
  invalid,
  isSet,
  list,
  maxUint32,
  oneOf,
  optionalString,
  refuse,
  requiredString,
} from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import { fieldPath } from "../internal/field-names.js";
import {
  type Capability,
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

/**
 * A seccomp or AppArmor profile: the runtime's default, none, or one on the node. A local seccomp profile is the absolute path of
 * a JSON file; runtimes, unlike kubelets, do not resolve relative paths. A local AppArmor profile is the name of a loaded
 * profile.
 */
export type ProfileSpec = "RuntimeDefault" | "Unconfined" | { localhostProfile: string };

/** Parts of an SELinux label. */
export interface SELinuxSpec {
  user?: string | undefined;
  role?: string | undefined;
  type?: string | undefined;
  level?: string | undefined;
}

/** Security settings of pods and containers. A container inherits its pod's settings unless it sets its own. */
export interface SecuritySpec {
  /**
   * Grants all capabilities and devices and masks no paths. A container can only be privileged in a privileged pod.
   *
   * @defaultValue false
   */
  privileged?: boolean | undefined;
  /** Makes the root file system read-only; independent of {@link privileged}. @defaultValue false */
  readOnlyRootFilesystem?: boolean | undefined;
  /**
   * User id. For a name in the image's `/etc/passwd`, see {@link ContainerSecuritySpec.runAsUserName}.
   *
   * @defaultValue the image's user
   */
  runAsUser?: number | undefined;
  /** Group id. CRI requires that a user is also set. @defaultValue the user's primary group */
  runAsGroup?: number | undefined;
  /** Additional group ids. */
  supplementalGroups?: readonly number[] | undefined;
  /**
   * Whether the user also gets the groups that the image's `/etc/group` lists for it (`"Merge"`) or not (`"Strict"`).
   * Since Kubernetes 1.31; older runtimes always merge. @defaultValue "Merge"
   */
  supplementalGroupsPolicy?: "Merge" | "Strict" | undefined;
  /**
   * System call filter.
   *
   * @defaultValue "RuntimeDefault", as with a kubelet's `seccompDefault`; "Unconfined" for a privileged container
   */
  seccomp?: ProfileSpec | undefined;
  /**
   * AppArmor profile, on nodes that have AppArmor.
   *
   * @defaultValue the runtime's choice: its default profile where AppArmor is enabled
   */
  apparmor?: ProfileSpec | undefined;
  /** SELinux label, on nodes that have SELinux. @defaultValue the runtime's choice */
  selinux?: SELinuxSpec | undefined;
}

/** The security settings of a container. */
export interface ContainerSecuritySpec extends SecuritySpec {
  /** Name of a user in the image's `/etc/passwd`; not together with {@link runAsUser}. */
  runAsUserName?: string | undefined;
  /** Linux capabilities. @defaultValue the runtime's default set */
  capabilities?: CapabilitiesSpec | undefined;
  /** `false` sets no_new_privs: set-uid programs gain no privileges. Not together with {@link privileged}. @defaultValue true */
  allowPrivilegeEscalation?: boolean | undefined;
  /**
   * Paths that are masked: they appear empty. Runtimes mask exactly the listed paths, so an empty list masks nothing, as
   * `procMount: Unmasked` does in a manifest.
   *
   * @defaultValue the paths that kubelets mask, such as `/proc/kcore`; nothing for a privileged container
   */
  maskedPaths?: readonly string[] | undefined;
  /**
   * Paths that are read-only.
   *
   * @defaultValue the paths that kubelets make read-only, such as `/proc/sys`; nothing for a privileged container
   */
  readonlyPaths?: readonly string[] | undefined;
}

/** The paths that Docker and kubelets mask: kernel interfaces that leak information about the node. */
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

/** The paths that Docker and kubelets make read-only: kernel interfaces that change the node. */
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

/** Converts the security settings of a pod. */
export function toPodSecurity(
  spec: SecuritySpec | undefined,
  field: string,
  namespaceOptions: NamespaceOption,
): LinuxSandboxSecurityContext {
  const { selinux, ...settings } = readCommon(new ObjectReader(spec ?? {}, field, commonFields));
  if (settings.runAsGroup !== undefined && settings.runAsUser === undefined) refuseGroup(field);
  return LinuxSandboxSecurityContext.create({
    ...settings,
    readonlyRootfs: settings.readonlyRootfs ?? false,
    supplementalGroups: settings.supplementalGroups ?? [],
    supplementalGroupsPolicy: settings.supplementalGroupsPolicy ?? SupplementalGroupsPolicy.Merge,
    seccomp: settings.seccomp ?? profile("RuntimeDefault"),
    selinuxOptions: selinux,
    namespaceOptions,
  });
}

/** The checked settings that pods and containers have in common. */
interface CommonSecurity {
  privileged: boolean;
  readonlyRootfs: boolean | undefined;
  runAsUser: { value: Long } | undefined;
  runAsGroup: { value: Long } | undefined;
  supplementalGroups: Long[] | undefined;
  supplementalGroupsPolicy: SupplementalGroupsPolicy | undefined;
  seccomp: SecurityProfile | undefined;
  apparmor: SecurityProfile | undefined;
  selinux: SELinuxOption | undefined;
}

// These types are written out, because the compiler would otherwise write an import of `long` into the declarations. Only some
// module settings can resolve that import.
/** The checked security settings of a container. The pod's settings apply where a field is `undefined`. */
export interface ContainerSecurity extends CommonSecurity {
  runAsUsername: string;
  noNewPrivs: boolean;
  capabilities: Capability | undefined;
  maskedPaths: string[] | undefined;
  readonlyPaths: string[] | undefined;
}

/** Checks the security settings of a container, before its pod is known. */
export function readContainerSecurity(spec: ContainerSecuritySpec | undefined, field: string): ContainerSecurity {
  const given = new ObjectReader(spec ?? {}, field, containerFields);
  const common = readCommon(given);
  const noNewPrivs = given.optional("allowPrivilegeEscalation", flag) === false;
  if (common.privileged && noNewPrivs) {
    given.refuse("allowPrivilegeEscalation", "cannot be false for a privileged container");
  }
  const runAsUsername = given.read("runAsUserName", optionalString);
  if (runAsUsername !== "" && common.runAsUser !== undefined) {
    given.refuse("runAsUserName", "cannot be set together with runAsUser: drop one");
  }
  return {
    ...common,
    runAsUsername,
    noNewPrivs,
    capabilities: given.optional("capabilities", toCapabilities),
    maskedPaths: given.optional("maskedPaths", paths),
    readonlyPaths: given.optional("readonlyPaths", paths),
  };
}

/**
 * Completes the security settings of a container with those of its pod. As in Kubernetes, user, groups, SELinux label and
 * profiles come from the pod unless the container sets its own.
 *
 * @param field the path of the settings in error messages
 */
export function toContainerSecurity(
  settings: ContainerSecurity,
  field: string,
  namespaceOptions: NamespaceOption,
  pod = LinuxSandboxSecurityContext.create(),
): LinuxContainerSecurityContext {
  const { privileged, runAsUsername, capabilities, noNewPrivs } = settings;
  // Runtimes check the pod's configuration in the request, so they would refuse the container.
  if (privileged && pod.privileged !== true) {
    refuse(
      fieldPath(field, "privileged"),
      "needs a pod with security.privileged: true; runtimes refuse it in any other",
    );
  }
  const runAsUser = settings.runAsUser ?? (runAsUsername === "" ? pod.runAsUser : undefined);
  const runAsGroup = settings.runAsGroup ?? pod.runAsGroup;
  if (runAsGroup !== undefined && runAsUser === undefined && runAsUsername === "") refuseGroup(field);
  return LinuxContainerSecurityContext.create({
    privileged,
    readonlyRootfs: settings.readonlyRootfs ?? pod.readonlyRootfs,
    runAsUser,
    runAsGroup,
    runAsUsername,
    supplementalGroups: settings.supplementalGroups ?? pod.supplementalGroups,
    supplementalGroupsPolicy: settings.supplementalGroupsPolicy ?? pod.supplementalGroupsPolicy,
    seccomp: settings.seccomp ?? (privileged ? profile("Unconfined") : (pod.seccomp ?? profile("RuntimeDefault"))),
    apparmor: settings.apparmor ?? (privileged ? undefined : pod.apparmor),
    selinuxOptions: settings.selinux ?? pod.selinuxOptions,
    capabilities,
    noNewPrivs,
    maskedPaths: settings.maskedPaths ?? (privileged ? [] : [...defaultMaskedPaths]),
    readonlyPaths: settings.readonlyPaths ?? (privileged ? [] : [...defaultReadonlyPaths]),
    namespaceOptions,
  });
}

/** Reads the settings that pods and containers have in common. */
function readCommon(spec: ObjectReader<SecuritySpec>): CommonSecurity {
  return {
    privileged: spec.read("privileged", flag),
    readonlyRootfs: spec.optional("readOnlyRootFilesystem", flag),
    runAsUser: spec.optional("runAsUser", toId, "; a name goes into runAsUserName of the container"),
    runAsGroup: spec.optional("runAsGroup", toId, ""),
    supplementalGroups: spec.optional("supplementalGroups", (groups, field) => list(groups, field, requiredId)),
    supplementalGroupsPolicy: spec.optional("supplementalGroupsPolicy", toGroupsPolicy),
    seccomp: spec.optional("seccomp", toProfile, absolutePath),
    apparmor: spec.optional("apparmor", toProfile, requiredString),
    selinux: spec.optional("selinux", toSELinux),
  };
}

function refuseGroup(field: string): never {
  return refuse(fieldPath(field, "runAsGroup"), "needs runAsUser: set both");
}

function paths(value: readonly string[], field: string): string[] {
  return list(value, field, absolutePath);
}

function toId(value: number, field: string, remedy: string): { value: Long } {
  if (typeof value === "string") invalid(field, `must be a whole number${remedy}`, value);
  return { value: requiredId(value, field) };
}

function requiredId(value: number, field: string): Long {
  if (!isSet(value)) return invalid(field, "must be a whole number", value);
  return Long.fromNumber(integer(value, field, 0, maxUint32, 0));
}

function toGroupsPolicy(value: unknown, field: string): SupplementalGroupsPolicy {
  const { Merge, Strict } = SupplementalGroupsPolicy;
  return oneOf(value, field, { Merge, Strict }, Merge);
}

function profile(type: "RuntimeDefault" | "Unconfined"): SecurityProfile {
  return SecurityProfile.create({ profileType: ProfileType[type] });
}

function toProfile(
  value: ProfileSpec,
  field: string,
  checkName: (value: unknown, field: string) => string,
): SecurityProfile {
  if (typeof value === "object") {
    const localhostRef = new ObjectReader(value, field, { localhostProfile: true }).read("localhostProfile", checkName);
    return SecurityProfile.create({ profileType: ProfileType.Localhost, localhostRef });
  }
  if (value !== "RuntimeDefault" && value !== "Unconfined") {
    return invalid(field, 'must be "RuntimeDefault", "Unconfined" or { localhostProfile }', value);
  }
  return profile(value);
}

function toSELinux(spec: SELinuxSpec, field: string): SELinuxOption {
  const label = new ObjectReader(spec, field, { user: true, role: true, type: true, level: true });
  return SELinuxOption.create({
    user: label.read("user", optionalString),
    role: label.read("role", optionalString),
    type: label.read("type", optionalString),
    level: label.read("level", optionalString),
  });
}
