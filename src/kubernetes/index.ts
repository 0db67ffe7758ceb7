/**
 * Runs Kubernetes Pod manifests on one node, as a kubelet does.
 *
 * @module k8s-cri-client/kubernetes
 */

// The fields of manifests

export type {
  ContainerManifest,
  ContainerPortManifest,
  EnvFromManifest,
  EnvSourceManifest,
  EnvVarManifest,
  FieldReferenceManifest,
  HandlerManifest,
  HookManifest,
  HttpGetManifest,
  KeyReferenceManifest,
  LifecycleManifest,
  OptionalReferenceManifest,
  ProbeManifest,
  ProtocolName,
  QuantityManifest,
  ResourceList,
  ResourceReferenceManifest,
  ResourcesManifest,
  RestartRuleManifest,
  VolumeMountManifest,
} from "./manifest/container.js";
export {
  InvalidManifestError,
  type ManifestFault,
  type ManifestLocation,
  type MissingObject,
} from "./manifest/invalid-manifest-error.js";
export type { ManifestMetadata } from "./manifest/metadata.js";
export type {
  ConfigMapManifest,
  KubernetesObjects,
  RuntimeClassManifest,
  SecretManifest,
  ServiceAccountManifest,
  ServiceManifest,
  ServicePortManifest,
} from "./manifest/objects.js";
export type {
  DnsConfigManifest,
  DnsPolicyName,
  HostAliasManifest,
  LocalReferenceManifest,
  PodManifest,
  PodManifestSpec,
  PodSecurityContextManifest,
  RestartPolicyName,
} from "./manifest/pod.js";
export type {
  AppArmorProfileManifest,
  ContainerSecurityContextManifest,
  SeccompProfileManifest,
  SelinuxManifest,
} from "./manifest/security.js";
export type {
  ConfigMapVolumeManifest,
  DownwardApiItemManifest,
  DownwardApiVolumeManifest,
  EmptyDirManifest,
  HostPathManifest,
  HostPathTypeName,
  ImageVolumeManifest,
  KeyToPathManifest,
  ProjectedVolumeManifest,
  ProjectionManifest,
  SecretVolumeManifest,
  ServiceAccountTokenManifest,
  VolumeManifest,
  VolumeSourcesManifest,
} from "./manifest/volume.js";

// The node

export type { NodeReservations } from "./node/allocatable.js";
export { describeNode } from "./node/describe-node.js";
export { fromKubeletConfiguration, type KubeletSettings } from "./node/kubelet-configuration.js";
export type { NodeConfig, ResolverConfig } from "./node/node-config.js";
export type { NodeOverrides } from "./node/node-overrides.js";

// Planning

export type { PlanChange, PlanDiff } from "./planning/plan-diff.js";
export { type PlanOptions, planPod } from "./planning/plan-pod.js";
export type { ServiceAccountToken } from "./planning/pod-context.js";
export { wasRunFromManifest } from "./planning/pod-labels.js";
export { PodPlan } from "./planning/pod-plan.js";
export type {
  ContainerFacts,
  ContainerPlan,
  FilePlan,
  HostsFilePlan,
  ImageFacts,
  ImagePlan,
  PodCgroupPlan,
  PodFacts,
  PullSecret,
  SubPathPlan,
  VolumePlan,
} from "./planning/pod-plan-types.js";

// Reading

export { type ReadManifestFilesOptions, readManifestFiles } from "./reading/read-manifest-files.js";
export { type ReadManifestsOptions, readManifests } from "./reading/read-manifests.js";
export type { IgnoredField, Manifests } from "./reading/reader.js";
export { withDefaults } from "./reading/with-defaults.js";

// Running

export { type RunManifestOptions, runManifest } from "./run-manifest.js";
export type { PodColumns } from "./running/display-status.js";
export type { PodEventReason, RunningPodEvent } from "./running/pod-event.js";
export type { PodExit } from "./running/pod-exit.js";
export type {
  PodConditions,
  PodContainerState,
  PodContainerStatus,
  PodContainerTermination,
  PodStatus,
} from "./running/pod-status.js";
export { type RemovePodOptions, removePod } from "./running/remove-named-pod.js";
export type { RunPlanOptions } from "./running/run-pod.js";
export { RunningPod, type StopRunningPodOptions } from "./running/running-pod.js";
export type { WaitPodOptions } from "./running/status-watch.js";
