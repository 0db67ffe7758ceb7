import type { ContainerManifest, ResourceList, ResourcesManifest } from "./container.js";
import type { ManifestMetadata } from "./metadata.js";
import type { AppArmorProfileManifest, SeccompProfileManifest, SelinuxManifest } from "./security.js";
import type { VolumeManifest } from "./volume.js";

/** A Kubernetes Pod (`v1`), with the fields that this package supports. */
export interface PodManifest {
  apiVersion: "v1";
  kind: "Pod";
  metadata: ManifestMetadata;
  spec: PodManifestSpec;
}

/** When containers that have exited are started again. */
export type RestartPolicyName = "Always" | "OnFailure" | "Never";
/** Where the DNS settings of a pod come from. */
export type DnsPolicyName = "ClusterFirst" | "ClusterFirstWithHostNet" | "Default" | "None";

/** The `spec` of a Pod. Defaults are those of the Kubernetes API. */
export interface PodManifestSpec {
  containers: readonly ContainerManifest[];
  /** Containers that run one after the other before the others. With `restartPolicy: Always`, a container is a sidecar. */
  initContainers?: readonly ContainerManifest[] | undefined;
  volumes?: readonly VolumeManifest[] | undefined;
  /** @defaultValue "Always" */
  restartPolicy?: RestartPolicyName | undefined;
  /** @defaultValue 30 */
  terminationGracePeriodSeconds?: number | undefined;
  /** Seconds after which the pod fails. @defaultValue no limit */
  activeDeadlineSeconds?: number | undefined;
  /** @defaultValue "ClusterFirst" */
  dnsPolicy?: DnsPolicyName | undefined;
  dnsConfig?: DnsConfigManifest | undefined;
  hostname?: string | undefined;
  subdomain?: string | undefined;
  setHostnameAsFQDN?: boolean | undefined;
  /** Replaces the host name, in the container only. Since Kubernetes 1.34. */
  hostnameOverride?: string | undefined;
  hostAliases?: readonly HostAliasManifest[] | undefined;
  hostNetwork?: boolean | undefined;
  hostPID?: boolean | undefined;
  hostIPC?: boolean | undefined;
  /** `false` runs the pod in a user namespace of its own. @defaultValue true */
  hostUsers?: boolean | undefined;
  shareProcessNamespace?: boolean | undefined;
  securityContext?: PodSecurityContextManifest | undefined;
  /** Resources of the whole pod. Since Kubernetes 1.34. */
  resources?: ResourcesManifest | undefined;
  runtimeClassName?: string | undefined;
  /** Usually set by the RuntimeClass. */
  overhead?: ResourceList | undefined;
  imagePullSecrets?: readonly LocalReferenceManifest[] | undefined;
  /** @defaultValue "default" */
  serviceAccountName?: string | undefined;
  automountServiceAccountToken?: boolean | undefined;
  /** Adds variables for each Service among the objects. @defaultValue true */
  enableServiceLinks?: boolean | undefined;
  os?: { name: "linux" } | undefined;
  nodeName?: string | undefined;
  priorityClassName?: string | undefined;
  priority?: number | undefined;
}

/** An object in the namespace of the pod. */
export interface LocalReferenceManifest {
  name: string;
}

/** DNS settings that are added to those of the policy. */
export interface DnsConfigManifest {
  nameservers?: readonly string[] | undefined;
  searches?: readonly string[] | undefined;
  options?: readonly { name: string; value?: string | undefined }[] | undefined;
}

/** A line of `/etc/hosts`. */
export interface HostAliasManifest {
  ip: string;
  hostnames: readonly string[];
}

/** The `securityContext` of a pod: defaults of its containers, and settings of the whole pod. */
export interface PodSecurityContextManifest {
  runAsUser?: number | undefined;
  runAsGroup?: number | undefined;
  runAsNonRoot?: boolean | undefined;
  fsGroup?: number | undefined;
  /** @defaultValue "Always" */
  fsGroupChangePolicy?: "Always" | "OnRootMismatch" | undefined;
  supplementalGroups?: readonly number[] | undefined;
  /** @defaultValue "Merge" */
  supplementalGroupsPolicy?: "Merge" | "Strict" | undefined;
  seccompProfile?: SeccompProfileManifest | undefined;
  appArmorProfile?: AppArmorProfileManifest | undefined;
  seLinuxOptions?: SelinuxManifest | undefined;
  seLinuxChangePolicy?: "MountOption" | "Recursive" | undefined;
  sysctls?: readonly { name: string; value: string }[] | undefined;
}
