// The public types of k8s-cri-client/kubernetes. Written by `npm run api`.

export type { AppArmorProfileManifest };
export type { ConfigMapManifest };
export type { ConfigMapVolumeManifest };
export type { ContainerFacts };
export type { ContainerManifest };
export type { ContainerPlan };
export type { ContainerPortManifest };
export type { ContainerSecurityContextManifest };
export type { DnsConfigManifest };
export type { DnsPolicyName };
export type { DownwardApiItemManifest };
export type { DownwardApiVolumeManifest };
export type { EmptyDirManifest };
export type { EnvFromManifest };
export type { EnvSourceManifest };
export type { EnvVarManifest };
export type { FieldReferenceManifest };
export type { FilePlan };
export type { HandlerManifest };
export type { HookManifest };
export type { HostAliasManifest };
export type { HostPathManifest };
export type { HostPathTypeName };
export type { HostsFilePlan };
export type { HttpGetManifest };
export type { IgnoredField };
export type { ImageFacts };
export type { ImagePlan };
export type { ImageVolumeManifest };
export { InvalidManifestError };
export type { KeyReferenceManifest };
export type { KeyToPathManifest };
export type { KubeletSettings };
export type { KubernetesObjects };
export type { LifecycleManifest };
export type { LocalReferenceManifest };
export type { ManifestFault };
export type { ManifestLocation };
export type { ManifestMetadata };
export type { Manifests };
export type { MissingObject };
export type { NodeConfig };
export type { NodeOverrides };
export type { NodeReservations };
export type { OptionalReferenceManifest };
export type { PlanChange };
export type { PlanDiff };
export type { PlanOptions };
export type { PodCgroupPlan };
export type { PodColumns };
export type { PodConditions };
export type { PodContainerState };
export type { PodContainerStatus };
export type { PodContainerTermination };
export type { PodEventReason };
export type { PodExit };
export type { PodFacts };
export type { PodManifest };
export type { PodManifestSpec };
export { PodPlan };
export type { PodSecurityContextManifest };
export type { PodStatus };
export type { ProbeManifest };
export type { ProjectedVolumeManifest };
export type { ProjectionManifest };
export type { ProtocolName };
export type { PullSecret };
export type { QuantityManifest };
export type { ReadManifestFilesOptions };
export type { ReadManifestsOptions };
export type { RemovePodOptions };
export type { ResolverConfig };
export type { ResourceList };
export type { ResourceReferenceManifest };
export type { ResourcesManifest };
export type { RestartPolicyName };
export type { RestartRuleManifest };
export type { RunManifestOptions };
export type { RunPlanOptions };
export { RunningPod };
export type { RunningPodEvent };
export type { RuntimeClassManifest };
export type { SeccompProfileManifest };
export type { SecretManifest };
export type { SecretVolumeManifest };
export type { SelinuxManifest };
export type { ServiceAccountManifest };
export type { ServiceAccountToken };
export type { ServiceAccountTokenManifest };
export type { ServiceManifest };
export type { ServicePortManifest };
export type { StopRunningPodOptions };
export type { SubPathPlan };
export type { VolumeManifest };
export type { VolumeMountManifest };
export type { VolumePlan };
export type { VolumeSourcesManifest };
export type { WaitPodOptions };
export { describeNode };
export { fromKubeletConfiguration };
export { planPod };
export { readManifestFiles };
export { readManifests };
export { removePod };
export { runManifest };
export { wasRunFromManifest };
export { withDefaults };

import type { ContainerConfig } from "k8s-cri-client/proto";
import type { CreateContainerRequest } from "k8s-cri-client/proto";
import type { InspectOptions } from "node:util";
import type { PodSandboxConfig } from "k8s-cri-client/proto";
import type { PullImageRequest } from "k8s-cri-client/proto";
import type { RunPodSandboxRequest } from "k8s-cri-client/proto";
import type { inspect } from "node:util";

interface AppArmorProfileManifest {
  type: "RuntimeDefault" | "Unconfined" | "Localhost";
  localhostProfile?: string | undefined;
}

interface ConfigMapManifest {
  apiVersion: "v1";
  kind: "ConfigMap";
  metadata: ManifestMetadata;
  data?: Readonly<Record<string, string>> | undefined;
  binaryData?: Readonly<Record<string, string>> | undefined;
  immutable?: boolean | undefined;
}

interface ConfigMapVolumeManifest extends OptionalReferenceManifest {
  items?: readonly KeyToPathManifest[] | undefined;
  defaultMode?: number | undefined;
}

interface ContainerFacts extends PodFacts {
  attempt: number;
  image: ImageFacts;
  imageVolumes: Readonly<Record<string, string>>;
}

interface ContainerManifest {
  name: string;
  image: string;
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never" | undefined;
  command?: readonly string[] | undefined;
  args?: readonly string[] | undefined;
  workingDir?: string | undefined;
  ports?: readonly ContainerPortManifest[] | undefined;
  env?: readonly EnvVarManifest[] | undefined;
  envFrom?: readonly EnvFromManifest[] | undefined;
  resources?: ResourcesManifest | undefined;
  volumeMounts?: readonly VolumeMountManifest[] | undefined;
  securityContext?: ContainerSecurityContextManifest | undefined;
  startupProbe?: ProbeManifest | undefined;
  livenessProbe?: ProbeManifest | undefined;
  readinessProbe?: ProbeManifest | undefined;
  lifecycle?: LifecycleManifest | undefined;
  restartPolicy?: "Always" | "OnFailure" | "Never" | undefined;
  restartPolicyRules?: readonly RestartRuleManifest[] | undefined;
  terminationMessagePath?: string | undefined;
  terminationMessagePolicy?: "File" | "FallbackToLogsOnError" | undefined;
  stdin?: boolean | undefined;
  stdinOnce?: boolean | undefined;
  tty?: boolean | undefined;
}

interface ContainerPlan {
  name: string;
  kind: "init" | "sidecar" | "main";
  image: ImagePlan;
  restartPolicy: RestartPolicyName;
  restartPolicyRules: readonly RestartRuleManifest[];
  terminationMessagePath(attempt: number): string | undefined;
  terminationMessagePolicy: "File" | "FallbackToLogsOnError";
  startupProbe?: ProbeManifest | undefined;
  livenessProbe?: ProbeManifest | undefined;
  readinessProbe?: ProbeManifest | undefined;
  postStart?: HookManifest | undefined;
  preStop?: HookManifest | undefined;
  ports: Readonly<Record<string, number>>;
  checkUser(image: ImageFacts): void;
  config(facts: ContainerFacts): ContainerConfig;
  expand(command: readonly string[], facts: ContainerFacts): readonly string[];
}

interface ContainerPortManifest {
  name?: string | undefined;
  containerPort: number;
  hostPort?: number | undefined;
  hostIP?: string | undefined;
  protocol?: ProtocolName | undefined;
}

interface ContainerSecurityContextManifest {
  runAsUser?: number | undefined;
  runAsGroup?: number | undefined;
  runAsNonRoot?: boolean | undefined;
  privileged?: boolean | undefined;
  allowPrivilegeEscalation?: boolean | undefined;
  readOnlyRootFilesystem?: boolean | undefined;
  capabilities?:
    | {
        add?: readonly string[] | undefined;
        drop?: readonly string[] | undefined;
      }
    | undefined;
  procMount?: "Default" | "Unmasked" | undefined;
  seccompProfile?: SeccompProfileManifest | undefined;
  appArmorProfile?: AppArmorProfileManifest | undefined;
  seLinuxOptions?: SelinuxManifest | undefined;
}

interface DnsConfigManifest {
  nameservers?: readonly string[] | undefined;
  searches?: readonly string[] | undefined;
  options?:
    | readonly {
        name: string;
        value?: string | undefined;
      }[]
    | undefined;
}

type DnsPolicyName = "ClusterFirst" | "ClusterFirstWithHostNet" | "Default" | "None";

interface DownwardApiItemManifest {
  path: string;
  fieldRef?: FieldReferenceManifest | undefined;
  resourceFieldRef?: ResourceReferenceManifest | undefined;
  mode?: number | undefined;
}

interface DownwardApiVolumeManifest {
  items?: readonly DownwardApiItemManifest[] | undefined;
  defaultMode?: number | undefined;
}

interface EmptyDirManifest {
  medium?: string | undefined;
  sizeLimit?: QuantityManifest | undefined;
}

interface EnvFromManifest {
  prefix?: string | undefined;
  configMapRef?: OptionalReferenceManifest | undefined;
  secretRef?: OptionalReferenceManifest | undefined;
}

interface EnvSourceManifest {
  fieldRef?: FieldReferenceManifest | undefined;
  resourceFieldRef?: ResourceReferenceManifest | undefined;
  configMapKeyRef?: KeyReferenceManifest | undefined;
  secretKeyRef?: KeyReferenceManifest | undefined;
}

interface EnvVarManifest {
  name: string;
  value?: string | undefined;
  valueFrom?: EnvSourceManifest | undefined;
}

interface FieldReferenceManifest {
  apiVersion?: string | undefined;
  fieldPath: string;
}

interface FilePlan {
  path: string;
  content: Uint8Array;
  mode: number;
  uid?: number | undefined;
}

interface HandlerManifest {
  exec?:
    | {
        command: readonly string[];
      }
    | undefined;
  httpGet?: HttpGetManifest | undefined;
  tcpSocket?:
    | {
        port: number | string;
        host?: string | undefined;
      }
    | undefined;
}

interface HookManifest extends HandlerManifest {
  sleep?:
    | {
        seconds: number;
      }
    | undefined;
}

interface HostAliasManifest {
  ip: string;
  hostnames: readonly string[];
}

interface HostPathManifest {
  path: string;
  type?: HostPathTypeName | undefined;
}

type HostPathTypeName =
  | ""
  | "DirectoryOrCreate"
  | "Directory"
  | "FileOrCreate"
  | "File"
  | "Socket"
  | "CharDevice"
  | "BlockDevice";

interface HostsFilePlan {
  path: string;
  head: string;
  nodeHosts: boolean;
  tail: string;
}

interface HttpGetManifest {
  port: number | string;
  path?: string | undefined;
  host?: string | undefined;
  scheme?: "HTTP" | "HTTPS" | undefined;
  httpHeaders?:
    | readonly {
        name: string;
        value: string;
      }[]
    | undefined;
}

interface IgnoredField extends ManifestLocation {
  path: string;
  reason: string;
}

interface ImageFacts {
  id: string;
  uid?: bigint | undefined;
  username?: string | undefined;
}

interface ImagePlan {
  reference: string;
  pullPolicy: "Always" | "IfNotPresent" | "Never";
}

interface ImageVolumeManifest {
  reference: string;
  pullPolicy?: "Always" | "IfNotPresent" | "Never" | undefined;
}

declare class InvalidManifestError extends InvalidInputError {
  readonly faults: readonly ManifestFault[];
  constructor(faults: readonly [ManifestFault, ...ManifestFault[]]);
}

interface KeyReferenceManifest {
  name: string;
  key: string;
  optional?: boolean | undefined;
}

interface KeyToPathManifest {
  key: string;
  path: string;
  mode?: number | undefined;
}

interface KubeletSettings {
  overrides: NodeOverrides;
  ignored: readonly string[];
}

interface KubernetesObjects {
  configMaps?: readonly ConfigMapManifest[] | undefined;
  secrets?: readonly SecretManifest[] | undefined;
  serviceAccounts?: readonly ServiceAccountManifest[] | undefined;
  runtimeClasses?: readonly RuntimeClassManifest[] | undefined;
  services?: readonly ServiceManifest[] | undefined;
}

interface LifecycleManifest {
  postStart?: HookManifest | undefined;
  preStop?: HookManifest | undefined;
  stopSignal?: string | undefined;
}

interface LocalReferenceManifest {
  name: string;
}

interface ManifestFault extends ManifestLocation {
  path: string;
  message: string;
  missing?: MissingObject | undefined;
}

interface ManifestLocation {
  object?: string | undefined;
  file?: string | undefined;
  document?: number | undefined;
  line?: number | undefined;
  column?: number | undefined;
}

interface ManifestMetadata {
  name: string;
  namespace?: string | undefined;
  uid?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
}

interface Manifests {
  pods: readonly PodManifest[];
  objects: {
    readonly [Kind in keyof KubernetesObjects]-?: NonNullable<KubernetesObjects[Kind]>;
  };
  ignored: readonly IgnoredField[];
}

interface MissingObject {
  kind: "ConfigMap" | "Secret" | "ServiceAccount" | "RuntimeClass";
  namespace?: string | undefined;
  name: string;
  key?: string | undefined;
}

interface NodeConfig {
  rootDirectory: string;
  podLogsDirectory: string;
  seccompDirectory: string;
  nodeName: string;
  addresses: readonly string[];
  capacity: ResourceList;
  allocatable: ResourceList;
  reservedMemory?: QuantityManifest | undefined;
  clusterDns: readonly string[];
  clusterDomain: string;
  resolver: ResolverConfig;
  cgroupDriver: "cgroupfs" | "systemd";
  cgroupVersion: 1 | 2;
  cgroupsPerQos: boolean;
  cgroupRoot: string;
  seccompDefault: boolean;
  sharedCpus: string;
  cpuCfsQuota: boolean;
  cpuCfsQuotaPeriodMs: number;
  swapBehavior: "NoSwap" | "LimitedSwap";
  swapController: boolean;
  swapCapacityBytes: number;
  memoryQos: boolean;
  memoryThrottlingFactor: number | undefined;
  memoryReservationPolicy: "None" | "TieredReservation";
  containerStopSignals: boolean;
  singleProcessOomKill: boolean | undefined;
  podPidsLimit: number;
  hugePageSizesBytes: readonly number[];
  recursiveReadOnlyMounts: Readonly<Record<string, boolean>>;
  selinuxEnabled: boolean;
  maskedPaths?: readonly string[] | undefined;
  allowedUnsafeSysctls: readonly string[];
  userNamespaceFirstId: number;
  userNamespaceRanges: number;
  maxRestartDelayMs: number;
}

type NodeOverrides = {
  [Key in keyof NodeConfig]?: NodeConfig[Key] | undefined;
} & NodeReservations & {
    resolvConf?: string | undefined;
  };

interface NodeReservations {
  kubeReserved?: ResourceList | undefined;
  systemReserved?: ResourceList | undefined;
  evictionHard?: Readonly<Record<string, string>> | undefined;
}

interface OptionalReferenceManifest {
  name: string;
  optional?: boolean | undefined;
}

interface PlanChange {
  path: string;
  before?: JsonValue | undefined;
  after?: JsonValue | undefined;
}

interface PlanDiff {
  changes: readonly PlanChange[];
  replaces: boolean;
}

interface PlanOptions {
  node: NodeConfig;
  objects?: KubernetesObjects | undefined;
  tokens?: readonly ServiceAccountToken[] | undefined;
}

interface PodCgroupPlan {
  path: string;
  driver: "cgroupfs" | "systemd";
  cpuShares: bigint;
  cpuQuotaUs?: bigint | undefined;
  cpuPeriodUs?: bigint | undefined;
  memoryLimitBytes?: bigint | undefined;
  hugePageLimits: Readonly<Record<string, bigint>>;
  pidsLimit?: number | undefined;
  unified: Readonly<Record<string, string>>;
}

interface PodColumns {
  ready: string;
  status: string;
  restarts: number;
}

interface PodConditions {
  PodReadyToStartContainers: boolean;
  Initialized: boolean;
  ContainersReady: boolean;
  Ready: boolean;
}

interface PodContainerState {
  waiting?:
    | {
        reason: string;
        message?: string | undefined;
      }
    | undefined;
  running?:
    | {
        startedAt: Date;
      }
    | undefined;
  terminated?: PodContainerTermination | undefined;
}

interface PodContainerStatus {
  name: string;
  sidecar: boolean;
  image: string;
  imageId: string;
  containerId: string | undefined;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: PodContainerState;
  lastState: PodContainerState | undefined;
}

interface PodContainerTermination {
  exitCode: number;
  reason: string;
  message?: string | undefined;
  startedAt: Date | undefined;
  finishedAt: Date | undefined;
}

type PodEventReason =
  | "Pulling"
  | "Pulled"
  | "Created"
  | "Started"
  | "Killing"
  | "BackOff"
  | "Failed"
  | "ErrImageNeverPull"
  | "Unhealthy"
  | "ProbeWarning"
  | "FailedPostStartHook"
  | "FailedPreStopHook"
  | "FailedMount"
  | "FailedCreatePodSandBox"
  | "FailedKillPod"
  | "SandboxChanged"
  | "DeadlineExceeded"
  | "Evicted";

interface PodExit {
  phase: "Succeeded" | "Failed";
  reason: string | undefined;
  exitCodes: Readonly<Record<string, number>>;
}

interface PodFacts {
  podSandboxId: string;
  podIPs: readonly string[];
}

interface PodManifest {
  apiVersion: "v1";
  kind: "Pod";
  metadata: ManifestMetadata;
  spec: PodManifestSpec;
}

interface PodManifestSpec {
  containers: readonly ContainerManifest[];
  initContainers?: readonly ContainerManifest[] | undefined;
  volumes?: readonly VolumeManifest[] | undefined;
  restartPolicy?: RestartPolicyName | undefined;
  terminationGracePeriodSeconds?: number | undefined;
  activeDeadlineSeconds?: number | undefined;
  dnsPolicy?: DnsPolicyName | undefined;
  dnsConfig?: DnsConfigManifest | undefined;
  hostname?: string | undefined;
  subdomain?: string | undefined;
  setHostnameAsFQDN?: boolean | undefined;
  hostnameOverride?: string | undefined;
  hostAliases?: readonly HostAliasManifest[] | undefined;
  hostNetwork?: boolean | undefined;
  hostPID?: boolean | undefined;
  hostIPC?: boolean | undefined;
  hostUsers?: boolean | undefined;
  shareProcessNamespace?: boolean | undefined;
  securityContext?: PodSecurityContextManifest | undefined;
  resources?: ResourcesManifest | undefined;
  runtimeClassName?: string | undefined;
  overhead?: ResourceList | undefined;
  imagePullSecrets?: readonly LocalReferenceManifest[] | undefined;
  serviceAccountName?: string | undefined;
  automountServiceAccountToken?: boolean | undefined;
  enableServiceLinks?: boolean | undefined;
  os?:
    | {
        name: "linux";
      }
    | undefined;
  nodeName?: string | undefined;
  priorityClassName?: string | undefined;
  priority?: number | undefined;
}

declare class PodPlan implements PodPlanParts {
  readonly hash: string;
  readonly uid: string;
  readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort";
  readonly podDirectory: string;
  readonly logDirectory: string;
  readonly cgroup: PodCgroupPlan | undefined;
  readonly runtimeHandler: string;
  readonly terminationGracePeriodSeconds: number;
  readonly activeDeadlineSeconds: number | undefined;
  readonly hostNetwork: boolean;
  readonly containers: readonly ContainerPlan[];
  readonly volumes: readonly VolumePlan[];
  get pod(): PodManifest;
  get node(): NodeConfig;
  get pullSecrets(): readonly PullSecret[];
  subPaths(container: string, facts: ContainerFacts): readonly SubPathPlan[];
  hostsFile(podIPs: readonly string[]): HostsFilePlan | undefined;
  sandbox(attempt: number): RunPodSandboxRequest;
  pullImage(image: ImagePlan, sandbox: PodSandboxConfig): PullImageRequest;
  createContainer(container: ContainerPlan, facts: ContainerFacts, sandbox: PodSandboxConfig): CreateContainerRequest;
  run(cri: CriClient, options?: RunPlanOptions): Promise<RunningPod>;
  toJSON(): JsonObject;
  diff(other: PodPlan): PlanDiff;
  [inspect.custom](_depth: number, options: InspectOptions): string;
}

interface PodPlanParts {
  pod: PodManifest;
  node: NodeConfig;
  uid: string;
  hash: string;
  qosClass: "Guaranteed" | "Burstable" | "BestEffort";
  podDirectory: string;
  logDirectory: string;
  cgroup: PodCgroupPlan | undefined;
  runtimeHandler: string;
  terminationGracePeriodSeconds: number;
  activeDeadlineSeconds: number | undefined;
  hostNetwork: boolean;
  containers: readonly ContainerPlan[];
  volumes: readonly VolumePlan[];
  subPaths(container: string, facts: ContainerFacts): readonly SubPathPlan[];
  hostsFile(podIPs: readonly string[]): HostsFilePlan | undefined;
  pullSecrets: readonly PullSecret[];
  sandbox(attempt: number): RunPodSandboxRequest;
  pullImage(image: ImagePlan, sandbox: PodSandboxConfig): PullImageRequest;
  createContainer(container: ContainerPlan, facts: ContainerFacts, sandbox: PodSandboxConfig): CreateContainerRequest;
}

interface PodSecurityContextManifest {
  runAsUser?: number | undefined;
  runAsGroup?: number | undefined;
  runAsNonRoot?: boolean | undefined;
  fsGroup?: number | undefined;
  fsGroupChangePolicy?: "Always" | "OnRootMismatch" | undefined;
  supplementalGroups?: readonly number[] | undefined;
  supplementalGroupsPolicy?: "Merge" | "Strict" | undefined;
  seccompProfile?: SeccompProfileManifest | undefined;
  appArmorProfile?: AppArmorProfileManifest | undefined;
  seLinuxOptions?: SelinuxManifest | undefined;
  seLinuxChangePolicy?: "MountOption" | "Recursive" | undefined;
  sysctls?:
    | readonly {
        name: string;
        value: string;
      }[]
    | undefined;
}

interface PodStatus {
  phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
  reason?: string | undefined;
  message?: string | undefined;
  terminating: boolean;
  conditions: PodConditions;
  qosClass: "Guaranteed" | "Burstable" | "BestEffort";
  hostIPs: readonly string[];
  podIPs: readonly string[];
  startTime: Date | undefined;
  initContainerStatuses: readonly PodContainerStatus[];
  containerStatuses: readonly PodContainerStatus[];
}

interface ProbeManifest extends HandlerManifest {
  grpc?:
    | {
        port: number;
        service?: string | undefined;
      }
    | undefined;
  initialDelaySeconds?: number | undefined;
  timeoutSeconds?: number | undefined;
  periodSeconds?: number | undefined;
  successThreshold?: number | undefined;
  failureThreshold?: number | undefined;
  terminationGracePeriodSeconds?: number | undefined;
}

interface ProjectedVolumeManifest {
  sources?: readonly ProjectionManifest[] | undefined;
  defaultMode?: number | undefined;
}

interface ProjectionManifest {
  configMap?:
    | (OptionalReferenceManifest & {
        items?: readonly KeyToPathManifest[] | undefined;
      })
    | undefined;
  secret?:
    | (OptionalReferenceManifest & {
        items?: readonly KeyToPathManifest[] | undefined;
      })
    | undefined;
  downwardAPI?:
    | {
        items?: readonly DownwardApiItemManifest[] | undefined;
      }
    | undefined;
  serviceAccountToken?: ServiceAccountTokenManifest | undefined;
}

type ProtocolName = "TCP" | "UDP" | "SCTP";

interface PullSecret {
  name: string;
  type: "kubernetes.io/dockerconfigjson" | "kubernetes.io/dockercfg";
  document: string;
}

type QuantityManifest = string | number;

interface ReadManifestFilesOptions extends ReadManifestsOptions {
  signal?: AbortSignal | undefined;
}

interface ReadManifestsOptions {
  namespace?: string | undefined;
  unknownKinds?: "refuse" | "ignore" | undefined;
}

interface RemovePodOptions extends CallOptions {
  node?: Pick<NodeConfig, "rootDirectory"> | undefined;
  gracePeriodSeconds?: number | undefined;
}

interface ResolverConfig {
  nameservers: readonly string[];
  searches: readonly string[];
  options: readonly string[];
}

type ResourceList = Readonly<Record<string, QuantityManifest>>;

interface ResourceReferenceManifest {
  containerName?: string | undefined;
  resource: string;
  divisor?: QuantityManifest | undefined;
}

interface ResourcesManifest {
  limits?: ResourceList | undefined;
  requests?: ResourceList | undefined;
}

type RestartPolicyName = "Always" | "OnFailure" | "Never";

interface RestartRuleManifest {
  action: "Restart" | "RestartAllContainers";
  exitCodes: {
    operator: "In" | "NotIn";
    values: readonly number[];
  };
}

interface RunManifestOptions extends RunPlanOptions, Omit<PlanOptions, "node"> {
  node?: NodeOverrides | undefined;
}

interface RunPlanOptions extends CallOptions {
  auth?: RegistryCredentials | undefined;
}

declare class RunningPod implements AsyncDisposable {
  get name(): string;
  get namespace(): string;
  get uid(): string;
  get adopted(): boolean;
  get ready(): Promise<void>;
  waitReady(options?: WaitPodOptions): Promise<void>;
  get exited(): Promise<PodExit>;
  wait(options?: WaitPodOptions): Promise<PodExit>;
  status(): PodStatus;
  statuses(options?: { signal?: AbortSignal | undefined }): CriStream<PodStatus>;
  columns(): PodColumns;
  get containerNames(): readonly string[];
  container(name: string): Container;
  logs(
    options: PodLogOptions & {
      encoding: "buffer";
    },
  ): LogStream<MergedLogBytesEntry>;
  logs(
    options?: PodLogOptions & {
      encoding?: "utf8" | undefined;
    },
  ): LogStream<MergedLogEntry>;
  logs(options?: PodLogOptions): LogStream<MergedLogEntry> | LogStream<MergedLogBytesEntry>;
  events(options?: { signal?: AbortSignal | undefined }): CriStream<RunningPodEvent>;
  stop(options?: StopRunningPodOptions): Promise<void>;
  release(): Promise<void>;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  toJSON(): {
    name: string;
    namespace: string;
    uid: string;
    status: PodStatus;
  };
  [inspect.custom](): string;
}

interface RunningPodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: PodEventReason;
  readonly message: string;
  readonly container: string | undefined;
  readonly at: Date;
}

interface RuntimeClassManifest {
  apiVersion: "node.k8s.io/v1";
  kind: "RuntimeClass";
  metadata: ManifestMetadata;
  handler: string;
  overhead?:
    | {
        podFixed?: ResourceList | undefined;
      }
    | undefined;
}

interface SeccompProfileManifest {
  type: "RuntimeDefault" | "Unconfined" | "Localhost";
  localhostProfile?: string | undefined;
}

interface SecretManifest {
  apiVersion: "v1";
  kind: "Secret";
  metadata: ManifestMetadata;
  type?: string | undefined;
  data?: Readonly<Record<string, string>> | undefined;
  stringData?: Readonly<Record<string, string>> | undefined;
  immutable?: boolean | undefined;
}

interface SecretVolumeManifest {
  secretName: string;
  optional?: boolean | undefined;
  items?: readonly KeyToPathManifest[] | undefined;
  defaultMode?: number | undefined;
}

interface SelinuxManifest {
  user?: string | undefined;
  role?: string | undefined;
  type?: string | undefined;
  level?: string | undefined;
}

interface ServiceAccountManifest {
  apiVersion: "v1";
  kind: "ServiceAccount";
  metadata: ManifestMetadata;
  imagePullSecrets?: readonly LocalReferenceManifest[] | undefined;
  automountServiceAccountToken?: boolean | undefined;
}

interface ServiceAccountToken {
  audience?: string | undefined;
  token: string;
}

interface ServiceAccountTokenManifest {
  path: string;
  audience?: string | undefined;
  expirationSeconds?: number | undefined;
}

interface ServiceManifest {
  apiVersion: "v1";
  kind: "Service";
  metadata: ManifestMetadata;
  spec: {
    clusterIP?: string | undefined;
    ports?: readonly ServicePortManifest[] | undefined;
  };
}

interface ServicePortManifest {
  name?: string | undefined;
  port: number;
  protocol?: ProtocolName | undefined;
}

interface StopRunningPodOptions extends CallOptions {
  gracePeriodSeconds?: number | undefined;
}

interface SubPathPlan {
  container: string;
  volumePath: string;
  subPath: string;
  path: string;
}

interface VolumeManifest extends VolumeSourcesManifest {
  name: string;
}

interface VolumeMountManifest {
  name: string;
  mountPath: string;
  readOnly?: boolean | undefined;
  recursiveReadOnly?: "Disabled" | "IfPossible" | "Enabled" | undefined;
  subPath?: string | undefined;
  subPathExpr?: string | undefined;
  mountPropagation?: "None" | "HostToContainer" | "Bidirectional" | undefined;
}

type VolumePlan =
  | {
      kind: "emptyDir";
      name: string;
      path: string;
      medium: "disk" | "memory" | "hugePages";
      sizeLimitBytes?: bigint | undefined;
      pageSizeBytes?: bigint | undefined;
      fsGroup?: number | undefined;
    }
  | {
      kind: "hostPath";
      name: string;
      path: string;
      type: string;
    }
  | {
      kind: "files";
      source: "configMap" | "secret" | "downwardAPI" | "projected";
      name: string;
      path: string;
      files: readonly FilePlan[];
      fsGroup?: number | undefined;
    }
  | {
      kind: "image";
      name: string;
      image: ImagePlan;
    };

interface VolumeSourcesManifest {
  emptyDir?: EmptyDirManifest | undefined;
  hostPath?: HostPathManifest | undefined;
  configMap?: ConfigMapVolumeManifest | undefined;
  secret?: SecretVolumeManifest | undefined;
  downwardAPI?: DownwardApiVolumeManifest | undefined;
  projected?: ProjectedVolumeManifest | undefined;
  image?: ImageVolumeManifest | undefined;
}

interface WaitPodOptions {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

declare function describeNode(cri: CriClient, overrides?: NodeOverrides, options?: CallOptions): Promise<NodeConfig>;

declare function fromKubeletConfiguration(document: string | object): KubeletSettings;

declare function planPod(manifest: PodManifest, options: PlanOptions): PodPlan;

declare function readManifestFiles(
  paths: string | URL | readonly (string | URL)[],
  options?: ReadManifestFilesOptions,
): Promise<Manifests>;

declare function readManifests(input: string | Uint8Array | object, options?: ReadManifestsOptions): Manifests;

declare function removePod(
  cri: CriClient,
  pod: {
    name: string;
    namespace?: string | undefined;
  },
  options?: RemovePodOptions,
): Promise<void>;

declare function runManifest(
  cri: CriClient,
  manifest: string | Uint8Array | object,
  options?: RunManifestOptions,
): Promise<RunningPod>;

declare function wasRunFromManifest(pod: { readonly annotations: Readonly<Record<string, string>> }): boolean;

declare function withDefaults(pod: PodManifest): PodManifest;
