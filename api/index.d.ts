// The public types of k8s-cri-client. Written by `npm run api`.

export type { AnyOperation as CriOperation };
export type { ArchiveData };
export type { AttachInteractiveOptions };
export type { AttachOptions };
export type { AttachSession };
export type { AttemptOperation };
export type { CallOperation };
export type { CallOptions };
export type { CallPolicy };
export type { CapabilitiesSpec };
export type { CheckpointOptions };
export type { ConnectOptions };
export type { Container };
export type { ContainerDiskUsage };
export type { ContainerEvent };
export type { ContainerExit };
export type { ContainerExitedEvent };
export type { ContainerFilter };
export type { ContainerInput };
export type { ContainerInspection };
export type { ContainerKeptReason };
export type { ContainerLogOptions };
export type { ContainerResourcesUpdate };
export type { ContainerSecuritySpec };
export type { ContainerSpec };
export { ContainerState } from "k8s-cri-client/proto";
export type { ContainerStateName };
export type { ContainerStatsQuery };
export type { ContainerTarget };
export type { ContainerUsage };
export type { Containers };
export type { CopyFromOptions };
export type { CopyFromResult };
export type { CopyOptions };
export type { CopyProgress };
export type { CopyToOptions };
export type { CpuFigures };
export type { CpuReading };
export type { CreateContainerOptions };
export type { CredentialPlugins };
export { CredentialsError };
export type { CredentialsMatch };
export type { CredentialsSourceInfo };
export { CriClient };
export { CriError };
export type { CriErrorCode };
export type { CriErrorInit };
export type { CriEvent };
export type { CriEventOf };
export type { CriLogger };
export type { CriStream };
export type { CrictlConfig };
export type { CrictlConfigLeniency };
export type { DeepOptions };
export type { DerivedDefaults };
export type { DeviceSpec };
export type { DiagnoseOptions };
export type { Diagnosis };
export type { DiagnosisCheck };
export type { DiscoverOptions };
export type { DiskFilesystem };
export type { DiskUsage };
export type { DnsSpec };
export type { DocumentFault };
export type { Effect };
export type { EncodedAuth };
export { EndpointError };
export type { EnsureOptions };
export type { EnvVar };
export type { Environment };
export type { EventStream };
export type { EventsOptions };
export { ExecError };
export type { ExecInteractiveOptions };
export type { ExecInteractiveResult };
export type { ExecOptions };
export type { ExecOutputOptions };
export type { ExecResult };
export type { ExecSession };
export type { ExecSyncOptions };
export type { FailedPull };
export type { FileData };
export type { FilesystemFigures };
export type { Finding };
export type { FindingStatus };
export type { GapReason };
export type { GoJsonWriteOptions };
export type { GrpcErrorCode };
export type { HostMount };
export type { IdRange };
export type { IdentityTokenAuth };
export type { ImageDiskUsage };
export type { ImageIdentity };
export type { ImageInput };
export type { ImageKeptReason };
export type { ImageMount };
export { ImagePullError };
export type { ImagePullFailure };
export { ImagePullsError };
export type { ImageRefSpec };
export type { ImageReference };
export type { ImageTimes };
export { ImageUsage };
export type { Images };
export type { InspectedMount };
export type { InterfaceFigures };
export { InvalidDocumentError };
export { InvalidInputError };
export { InvalidResponseError };
export type { JsonObject };
export type { JsonReadOptions };
export type { JsonValue };
export type { ListenOptions };
export type { LogBytesEntry };
export type { LogEncoding };
export type { LogEntry };
export type { LogEntryBase };
export type { LogGap };
export type { LogOptions };
export type { LogOwner };
export type { LogQuery };
export type { LogStream };
export type { LogStreamName };
export type { LookupOptions };
export type { MemoryFigures };
export type { MergedLogBytesEntry };
export type { MergedLogEntry };
export type { MergedLogOptions };
export type { MessageType };
export type { MountSpec };
export { NameReservedError };
export type { NodeFilter };
export type { NodeState };
export type { NodeView };
export type { Operation };
export type { OperationSubject };
export type { OverheadSpec };
export type { OwnedContainer };
export type { OwnedPodSandbox };
export type { PasswordAuth };
export type { PodCheckpointOptions };
export type { PodContainerFilter };
export type { PodEvent };
export type { PodFilter };
export type { PodIdentity };
export type { PodInput };
export type { PodInspection };
export type { PodKeptReason };
export type { PodLogOptions };
export type { PodLogRoot };
export type { PodNamespaces };
export type { PodResourcesUpdate };
export type { PodRestoreOptions };
export type { PodSandbox };
export { PodSandboxState } from "k8s-cri-client/proto";
export type { PodSpec };
export type { PodStateName };
export type { PodStatsQuery };
export type { PodTarget };
export type { PodUsage };
export type { Pods };
export type { PortForward };
export type { PortForwardListener };
export type { PortForwardOptions };
export type { PortSpec };
export type { PressureFigures };
export type { PressureShare };
export type { ProcessNamespace };
export type { ProfileSpec };
export type { ProgressOptions };
export type { PrunablePod };
export type { PruneContainersOptions };
export type { PruneLogsOptions };
export type { PruneOptions };
export type { PrunePodsOptions };
export type { PrunedContainers };
export type { PrunedImages };
export type { PrunedLogs };
export type { PrunedPods };
export type { PullAllOptions };
export type { PullOptions };
export type { PullPolicy };
export type { PullProgress };
export type { PullRequest };
export type { PullResult };
export type { PullSecret };
export type { PullState };
export type { PulledImage };
export type { Quantity };
export type { RawCallExtension };
export type { RawCallOptions };
export type { RawClients };
export type { ReadFileOptions };
export type { ReadLogOptions };
export type { RegistryAuth };
export { RegistryCredentials };
export type { RegistryCredentialsOptions };
export type { RegistryTokenAuth };
export type { RemoveOptions };
export type { RepositoryDiskUsage };
export type { ResolveAllOptions };
export type { ResolveOptions };
export type { ResourceLimits };
export type { ResourceRequests };
export type { ResourcesSpec };
export type { RestartOptions };
export type { ResyncEvent };
export type { RetryPolicy };
export type { RotateLogOptions };
export type { Rpc };
export type { RunPodOptions };
export type { RunWithin };
export type { RuntimeCapabilities };
export type { SELinuxSpec };
export type { SavedImageUsage };
export type { SecuritySpec };
export type { SessionOperation };
export type { SessionOptions };
export type { SkippedPull };
export type { Stats };
export type { StatusOf };
export type { StderrOf };
export type { StdinOf };
export type { StdoutOf };
export type { StopOptions };
export type { StopPodOptions };
export type { StopSignal };
export type { StreamKind };
export type { StreamLimits };
export type { StreamOptions };
export type { StreamSession };
export type { StreamTransport };
export type { StreamUrlOptions };
export type { SwapFigures };
export type { TerminalInput };
export type { TerminalOptions };
export type { TerminalOutput };
export type { TerminalSize };
export type { TlsOptions };
export type { TriedEndpoint };
export type { UsageFilter };
export type { UsageSnapshot };
export type { UsageSnapshotOptions };
export type { UsageWatchOptions };
export type { UserNamespaceSpec };
export type { WaitTarget };
export type { WatchOptions };
export type { WatchSettings };
export type { WatchSource };
export type { WindowsContainerSpec };
export type { WindowsSpec };
export type { WorkflowOperation };
export type { WriteFileOptions };
export { authFromDockerConfig };
export { callPolicies };
export { cpuCores };
export { diagnose };
export { discoverEndpoint };
export { loadCrictlConfig };
export { messageFromGoJson };
export { messageFromJson };
export { messageToGoJson };
export { messageToJson };
export { parseImageReference };
export { readLogFile };
export { redact };
export { toDate };
export { toNanoseconds };
export { toRfc3339Nano };

import type * as proto from "k8s-cri-client/proto";
import type { AddressInfo } from "node:net";
import type { CallOptions as GrpcCallOptions } from "nice-grpc-common";
import type { ChannelOptions } from "@grpc/grpc-js";
import type { ClientMiddleware } from "nice-grpc-common";
import type { Container as ContainerMessage } from "k8s-cri-client/proto";
import type { ContainerConfig } from "k8s-cri-client/proto";
import type { ContainerStats } from "k8s-cri-client/proto";
import type { ContainerStatus } from "k8s-cri-client/proto";
import type { CpuUsage } from "k8s-cri-client/proto";
import type { Duplex } from "node:stream";
import type { EventEmitter } from "node:events";
import type { Image } from "k8s-cri-client/proto";
import type { ImageFsInfoResponse } from "k8s-cri-client/proto";
import type { ImageServiceClient } from "k8s-cri-client/proto";
import type { Long } from "k8s-cri-client/proto";
import type { MetricDescriptor } from "k8s-cri-client/proto";
import type { PodSandbox as PodSandboxMessage } from "k8s-cri-client/proto";
import type { PodSandboxConfig } from "k8s-cri-client/proto";
import type { PodSandboxMetrics } from "k8s-cri-client/proto";
import type { PodSandboxStats } from "k8s-cri-client/proto";
import type { PodSandboxStatus } from "k8s-cri-client/proto";
import type { Readable } from "node:stream";
import type { RestoredContainer } from "k8s-cri-client/proto";
import type { RuntimeConfig } from "k8s-cri-client/proto";
import type { RuntimeConfigResponse } from "k8s-cri-client/proto";
import type { RuntimeFeatures } from "k8s-cri-client/proto";
import type { RuntimeHandler } from "k8s-cri-client/proto";
import type { RuntimeServiceClient } from "k8s-cri-client/proto";
import type { Signal } from "k8s-cri-client/proto";
import type { Status } from "nice-grpc-common";
import type { StatusResponse } from "k8s-cri-client/proto";
import type { VersionResponse } from "k8s-cri-client/proto";
import type { WindowsContainerResources } from "k8s-cri-client/proto";
import type { Writable } from "node:stream";
import type { inspect } from "node:util";

type AnyOperation = CallOperation | AttemptOperation | SessionOperation | WorkflowOperation;

type ArchiveData = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

interface AttachInteractiveOptions extends InteractiveOptions {
  tty?: boolean | undefined;
}

interface AttachOptions extends SessionOptions, StreamOptions {}

declare class AttachSession<
  In extends Writable | null = Writable | null,
  Out extends Readable | null = Readable | null,
  Err extends Readable | null = Readable | null,
> extends StreamSession<In, Out, Err> {
  readonly ended: Promise<void>;
}

declare class AttemptOperation extends Operation {
  readonly kind = "attempt";
  readonly attempt: number;
  status: string | undefined;
  receivedBytes: number;
  setMetadata(name: string, value: string): void;
}

declare class CallOperation extends Operation {
  readonly kind = "call";
  attempts: number;
  status: string | undefined;
  exitCode: number | undefined;
}

interface CallOptions {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
  deadline?: Date | undefined;
  retry?: RetryPolicy | false | undefined;
  metadata?: Record<string, string | Uint8Array | readonly string[]> | undefined;
}

interface CallPolicy {
  readonly effect: Effect;
  readonly retry: "yes" | "on-request" | "never-sent" | "no";
  readonly budgetMs: (
    baseMs: number,
    request: {
      timeout?: WholeNumber;
    },
  ) => number | undefined;
  readonly reason: string;
}

interface CapabilitiesSpec {
  add?: readonly string[] | undefined;
  drop?: readonly string[] | undefined;
  ambient?: readonly string[] | undefined;
}

interface CheckpointOptions extends CallOptions {
  outputPath: string;
  checkpointTimeoutSeconds?: number | undefined;
}

interface ConnectOptions {
  endpoint?: string | undefined;
  imageEndpoint?: string | undefined;
  tls?: TlsOptions | undefined;
  streamTls?: TlsOptions | undefined;
  streamUrl?: ((url: URL, kind: StreamKind) => URL) | undefined;
  allowInsecureTcp?: boolean | undefined;
  signal?: AbortSignal | undefined;
  connectTimeoutMs?: number | undefined;
  defaults?: Omit<CallOptions, "signal" | "deadline"> | undefined;
  watch?: WatchSettings | undefined;
  middleware?: readonly ClientMiddleware[] | undefined;
  attemptMiddleware?: readonly ClientMiddleware[] | undefined;
  channelOptions?: ChannelOptions | undefined;
  logger?: CriLogger | undefined;
}

declare class Container {
  readonly kind = "container";
  readonly id: string;
  start(options?: CallOptions): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
  remove(options?: RemoveOptions): Promise<void>;
  status(options?: CallOptions): Promise<ContainerStatus>;
  state(options?: CallOptions): Promise<ContainerStateName>;
  inspect(options?: CallOptions): Promise<ContainerInspection>;
  stats(options?: CallOptions): Promise<ContainerStats>;
  wait(options?: CallOptions): Promise<ContainerExit>;
  execSync(
    command: readonly string[],
    options: ExecSyncOptions & {
      encoding: "buffer";
    },
  ): Promise<ExecResult<Uint8Array>>;
  execSync(
    command: readonly string[],
    options?: ExecSyncOptions & {
      encoding?: "utf8" | undefined;
    },
  ): Promise<ExecResult>;
  execSync(command: readonly string[], options?: ExecSyncOptions): Promise<ExecResult | ExecResult<Uint8Array>>;
  exec<const O extends ExecOptions = Record<never, never>>(
    command: readonly string[],
    options?: Exactly<O, ExecOptions>,
  ): Promise<ExecSession<StdinOf<O>, StdoutOf<O>, StderrOf<O>>>;
  execOutput(
    command: readonly string[],
    options: ExecOutputOptions & {
      encoding: "buffer";
    },
  ): Promise<ExecResult<Uint8Array>>;
  execOutput(
    command: readonly string[],
    options?: ExecOutputOptions & {
      encoding?: "utf8" | undefined;
    },
  ): Promise<ExecResult>;
  execOutput(command: readonly string[], options?: ExecOutputOptions): Promise<ExecResult | ExecResult<Uint8Array>>;
  execInteractive(command: readonly string[], options?: ExecInteractiveOptions): Promise<ExecInteractiveResult>;
  attach<const O extends AttachOptions = Record<never, never>>(
    options?: Exactly<O, AttachOptions>,
  ): Promise<AttachSession<StdinOf<O>, StdoutOf<O>, StderrOf<O>>>;
  attachInteractive(options?: AttachInteractiveOptions): Promise<{
    detached: boolean;
  }>;
  copyTo(localPath: string, containerPath: string, options?: CopyToOptions): Promise<void>;
  copyFrom(containerPath: string, localPath: string, options?: CopyFromOptions): Promise<CopyFromResult>;
  writeFile(containerPath: string, data: FileData, options?: WriteFileOptions): Promise<void>;
  readFile(
    containerPath: string,
    options: ReadFileOptions & {
      encoding: "utf8";
    },
  ): Promise<string>;
  readFile(
    containerPath: string,
    options?: ReadFileOptions & {
      encoding?: "buffer" | undefined;
    },
  ): Promise<Buffer>;
  readFile(containerPath: string, options?: ReadFileOptions): Promise<Buffer | string>;
  putArchive(containerDir: string, archive: ArchiveData, options?: CopyOptions): Promise<void>;
  getArchive(containerPath: string, options?: CopyOptions): Promise<Readable>;
  restart(options?: RestartOptions): Promise<OwnedContainer>;
  updateResources(update: ContainerResourcesUpdate, options?: CallOptions): Promise<void>;
  checkpoint(options: CheckpointOptions): Promise<void>;
  logs(
    options: ContainerLogOptions & {
      encoding: "buffer";
    },
  ): LogStream<LogBytesEntry>;
  logs(
    options?: ContainerLogOptions & {
      encoding?: "utf8" | undefined;
    },
  ): LogStream;
  logs(options?: ContainerLogOptions): LogStream | LogStream<LogBytesEntry>;
  rotateLog(options?: RotateLogOptions): Promise<string>;
  reopenLog(options?: CallOptions): Promise<void>;
  execUrl(command: readonly string[], options?: StreamUrlOptions): Promise<string>;
  attachUrl(options?: StreamUrlOptions): Promise<string>;
}

interface ContainerDiskUsage {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerStateName;
  readonly pod: PodIdentity | undefined;
  readonly writableLayer: FilesystemFigures | undefined;
}

// import type { Container } from "k8s-cri-client/proto";
interface ContainerEvent {
  readonly type: "containerAdded" | "containerStarted" | "containerUpdated" | "containerRemoved";
  readonly container: Container;
  readonly at: Date;
}

interface ContainerExit {
  exitCode: number;
  reason: string;
  message: string;
  startedAt: Date | undefined;
  finishedAt: Date | undefined;
  status: ContainerStatus;
}

// import type { Container } from "k8s-cri-client/proto";
interface ContainerExitedEvent {
  readonly type: "containerExited";
  readonly container: Container;
  readonly exitCode: number | undefined;
  readonly status: ContainerStatus | undefined;
  readonly at: Date;
}

interface ContainerFilter {
  id?: string | undefined;
  pod?: PodTarget | undefined;
  state?: ContainerStateName | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  name?: string | undefined;
}

type ContainerInput = ContainerSpec | ContainerConfig;

declare class ContainerInspection extends Inspection<ContainerStatus> {
  get pid(): number | undefined;
  get tty(): boolean | undefined;
  get config(): ContainerConfig | undefined;
}

type ContainerKeptReason = "running" | "created" | "unknown" | "latest" | "kubelet" | "minAgeMs" | "maxPerContainer";

interface ContainerLogOptions extends LogOptions, StreamLimits {
  previous?: boolean | undefined;
  waitForStart?: boolean | undefined;
  localPath?: ((logPath: string) => string) | undefined;
}

interface ContainerResourcesUpdate {
  resources?: ResourcesSpec | undefined;
  windows?: Partial<WindowsContainerResources> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
}

interface ContainerSecuritySpec extends SecuritySpec {
  runAsUserName?: string | undefined;
  capabilities?: CapabilitiesSpec | undefined;
  allowPrivilegeEscalation?: boolean | undefined;
  maskedPaths?: readonly string[] | undefined;
  readonlyPaths?: readonly string[] | undefined;
}

interface ContainerSpec {
  name: string;
  attempt?: number | undefined;
  image: ImageInput;
  command?: readonly string[] | undefined;
  args?: readonly string[] | undefined;
  env?: Environment | undefined;
  workingDir?: string | undefined;
  mounts?: readonly MountSpec[] | undefined;
  devices?: readonly DeviceSpec[] | undefined;
  cdiDevices?: readonly string[] | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
  logPath?: string | undefined;
  stdin?: boolean | undefined;
  stdinOnce?: boolean | undefined;
  tty?: boolean | undefined;
  resources?: ResourcesSpec | undefined;
  security?: ContainerSecuritySpec | undefined;
  processes?: ProcessNamespace | undefined;
  stopSignal?: StopSignal | undefined;
  windows?: WindowsContainerSpec | undefined;
  terminationGracePeriodSeconds?: number | undefined;
  patch?: ((config: ContainerConfig) => void) | undefined;
}

type ContainerStateName = "created" | "running" | "exited" | "unknown";

interface ContainerStatsQuery {
  id?: string | undefined;
  pod?: PodTarget | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
}

type ContainerTarget =
  | string
  | {
      readonly id: string;
      readonly kind?: "container";
    };

interface ContainerUsage {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: PodIdentity | undefined;
  readonly image: ImageIdentity | undefined;
  readonly cpu: CpuFigures | undefined;
  readonly memory: MemoryFigures | undefined;
  readonly swap: SwapFigures | undefined;
  readonly filesystem: FilesystemFigures | undefined;
  readonly ioPressure: PressureFigures | undefined;
  readonly stats: ContainerStats;
}

declare class Containers {
  create(pod: PodTarget, spec: ContainerInput, options?: CreateContainerOptions): Promise<OwnedContainer>;
  run(pod: PodTarget, spec: ContainerInput, options?: CreateContainerOptions): Promise<OwnedContainer>;
  get(container: ContainerTarget): Container;
  list(filter?: ContainerFilter, options?: CallOptions): Promise<ContainerMessage[]>;
  iterate(filter?: ContainerFilter, options?: CallOptions): CriStream<ContainerMessage>;
  find(filter: ContainerFilter, options?: CallOptions): Promise<Container | undefined>;
  resolve(name: string, options?: ResolveOptions): Promise<Container>;
  findByPid(pid: number, options?: CallOptions): Promise<Container | undefined>;
  remove(container: ContainerTarget, options?: RemoveOptions): Promise<void>;
  prune(options?: PruneContainersOptions): Promise<PrunedContainers>;
}

interface CopyFromOptions extends CopyOptions {
  maxBytes?: number | undefined;
  maxEntries?: number | undefined;
  intoFolder?: boolean | undefined;
}

interface CopyFromResult {
  entries: number;
  contentBytes: number;
  leftOutCount: number;
  leftOut: readonly string[];
}

interface CopyOptions extends SessionOptions, ProgressOptions {}

interface CopyProgress {
  entries: number;
  contentBytes: number;
}

interface CopyToOptions extends CopyOptions {
  intoFolder?: boolean | undefined;
}

interface CpuFigures {
  readonly cores: number | undefined;
  readonly percent: number | undefined;
  readonly pressure: PressureFigures | undefined;
}

type CpuReading = Pick<CpuUsage, "timestamp" | "usageCoreNanoSeconds">;

interface CreateContainerOptions extends CallOptions {
  pullPolicy?: PullPolicy | undefined;
  auth?: PullOptions["auth"];
  podConfig?: PodSandboxConfig | "unknown" | undefined;
  adopt?: boolean | undefined;
}

interface CredentialPlugins {
  config: string;
  binDir: string;
}

declare class CredentialsError extends CriError {
  readonly registry: string;
  readonly source: string;
  constructor(
    init: Omit<CriErrorInit, "code"> & {
      registry: string;
      source: string;
    },
  );
}

interface CredentialsMatch {
  readonly source: string;
  readonly key: string;
  readonly auth: RegistryAuth;
}

interface CredentialsSourceInfo {
  readonly source: string;
  readonly registries: readonly string[];
}

declare class CriClient implements AsyncDisposable {
  readonly pods: Pods;
  readonly containers: Containers;
  readonly images: Images;
  readonly stats: Stats;
  readonly raw: RawClients;
  private constructor();
  static connect(options?: ConnectOptions): Promise<CriClient>;
  static lazy(
    options: ConnectOptions & {
      endpoint: string;
    },
  ): CriClient;
  get endpoint(): string;
  get imageEndpoint(): string;
  createContainerInSandbox(
    pod: PodTarget,
    spec: ContainerInput,
    options?: CreateContainerOptions,
  ): Promise<OwnedContainer>;
  runContainerInSandbox(
    pod: PodTarget,
    spec: ContainerInput,
    options?: CreateContainerOptions,
  ): Promise<OwnedContainer>;
  version(options?: CallOptions): Promise<VersionResponse>;
  status(
    options?: CallOptions & {
      verbose?: boolean | undefined;
    },
  ): Promise<StatusResponse>;
  runtimeConfig(options?: CallOptions): Promise<RuntimeConfigResponse>;
  updateRuntimeConfig(config: Partial<RuntimeConfig>, options?: CallOptions): Promise<void>;
  capabilities(options?: CallOptions): Promise<RuntimeCapabilities>;
  waitForReady(
    options?: CallOptions & {
      network?: boolean | undefined;
    },
  ): Promise<void>;
  resolve(name: string, options?: ResolveOptions): Promise<PodSandbox | Container>;
  resolveAll(names: readonly string[], options?: ResolveAllOptions): Promise<(PodSandbox | Container)[]>;
  logs(
    query: LogQuery | readonly LogQuery[] | undefined,
    options: MergedLogOptions & {
      encoding: "buffer";
    },
  ): LogStream<MergedLogBytesEntry>;
  logs(
    query?: LogQuery | readonly LogQuery[],
    options?: MergedLogOptions & {
      encoding?: "utf8" | undefined;
    },
  ): LogStream<MergedLogEntry>;
  logs(
    query?: LogQuery | readonly LogQuery[],
    options?: MergedLogOptions,
  ): LogStream<MergedLogEntry> | LogStream<MergedLogBytesEntry>;
  events(options?: EventsOptions): EventStream;
  watch(options?: WatchOptions): NodeView;
  waitFor<Target extends WaitTarget>(
    target: Target,
    wanted: (status: StatusOf<Target>) => boolean,
    options?: CallOptions,
  ): Promise<StatusOf<Target>>;
  with(defaults: DerivedDefaults): CriClient;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

declare class CriError extends Error {
  readonly code: CriErrorCode;
  readonly details: string;
  readonly method: string | undefined;
  readonly endpoint: string | undefined;
  readonly attempts: number;
  readonly mayHaveTakenEffect: boolean;
  readonly suppressed: readonly unknown[];
  constructor(init: CriErrorInit);
  static is(value: unknown): value is CriError;
  static is<C extends CriErrorCode>(
    value: unknown,
    ...codes: readonly C[]
  ): value is CriError & {
    readonly code: C;
  };
  static [Symbol.hasInstance](value: unknown): boolean;
}

type CriErrorCode =
  | GrpcErrorCode
  | "INVALID_INPUT"
  | "INVALID_RESPONSE"
  | "NAME_RESERVED"
  | "COMMAND_NOT_FOUND"
  | "COMMAND_TIMED_OUT"
  | "COMMAND_FAILED"
  | "NO_ENDPOINT"
  | "NO_CREDENTIALS"
  | "CLIENT_CLOSED";

interface CriErrorInit {
  code: CriErrorCode;
  message: string | readonly string[];
  method?: string | undefined;
  endpoint?: string | undefined;
  attempts?: number | undefined;
  mayHaveTakenEffect?: boolean | undefined;
  cause?: unknown;
}

type CriEvent = PodEvent | ContainerEvent | ContainerExitedEvent | ResyncEvent;

type CriEventOf<Type extends CriEvent["type"]> = CriEvent extends infer Event
  ? Event extends {
      readonly type: string;
    }
    ? Type extends Event["type"]
      ? Event & {
          readonly type: Type;
        }
      : never
    : never
  : never;

interface CriLogger {
  debug?(message: string, fields: Record<string, unknown>): void;
  warn?(message: string, fields: Record<string, unknown>): void;
}

declare class CriStream<T> implements AsyncIterable<T>, AsyncDisposable {
  [Symbol.asyncIterator](): AsyncIterator<T, undefined>;
  batches(): AsyncIterable<readonly T[]>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface CrictlConfig {
  path: string;
  runtimeEndpoint?: string | undefined;
  imageEndpoint?: string | undefined;
  timeoutSeconds?: number | undefined;
  debug?: boolean | undefined;
  pullImageOnCreate?: boolean | undefined;
  disablePullOnRun?: boolean | undefined;
  maxRetries?: number | undefined;
}

interface CrictlConfigLeniency {
  strict?: boolean | undefined;
  onIgnored?: ((ignored: DocumentFault) => void) | undefined;
}

interface DeepOptions {
  image?: string | undefined;
  auth?: RegistryAuth | undefined;
  timeoutMs?: number | undefined;
}

interface DerivedDefaults extends Omit<CallOptions, "deadline"> {
  signal?: AbortSignal | undefined;
}

interface DeviceSpec {
  hostPath: string;
  containerPath?: string | undefined;
  permissions?: string | undefined;
}

interface DiagnoseOptions
  extends Pick<ConnectOptions, "endpoint" | "imageEndpoint" | "tls" | "streamTls" | "streamUrl" | "allowInsecureTcp">,
    Pick<DiscoverOptions, "env" | "platform" | "configPath" | "root"> {
  timeoutMs?: number | undefined;
  deep?: boolean | DeepOptions | undefined;
  onFinding?: ((finding: Finding) => void) | undefined;
  signal?: AbortSignal | undefined;
}

interface Diagnosis {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

type DiagnosisCheck =
  | "program"
  | "endpoint"
  | "socket"
  | "other-runtimes"
  | "server"
  | "runtime"
  | "network"
  | "image-service"
  | "handlers"
  | "capabilities"
  | "cgroups"
  | "streaming"
  | "disk"
  | "clock"
  | "kubelet"
  | "pod";

interface DiscoverOptions {
  env?: NodeJS.ProcessEnv | undefined;
  platform?: NodeJS.Platform | undefined;
  configPath?: string | undefined;
  root?: string | undefined;
  allowInsecureTcp?: boolean | undefined;
  probeTimeoutMs?: number | undefined;
  logger?: CriLogger | undefined;
  signal?: AbortSignal | undefined;
}

interface DiskFilesystem extends FilesystemFigures {
  readonly measuredAt: Date | undefined;
}

interface DiskUsage {
  readonly imageFilesystems: readonly DiskFilesystem[];
  readonly containerFilesystems: readonly DiskFilesystem[];
  readonly images: readonly ImageDiskUsage[];
  readonly containers: readonly ContainerDiskUsage[];
  readonly repositories: readonly RepositoryDiskUsage[];
  readonly reclaimableBytes: number;
}

interface DnsSpec {
  servers?: readonly string[] | undefined;
  searches?: readonly string[] | undefined;
  options?: readonly string[] | undefined;
}

interface DocumentFault {
  path: string;
  line?: number | undefined;
  column?: number | undefined;
  message: string;
}

type Effect = "reads" | "idempotent" | "absolute" | "creates";

interface EncodedAuth extends Server {
  auth: string;
  username?: undefined;
  password?: undefined;
  identityToken?: undefined;
  registryToken?: undefined;
}

declare class EndpointError extends CriError {
  readonly tried: readonly TriedEndpoint[];
  constructor(
    init: CriErrorInit & {
      tried: readonly TriedEndpoint[];
    },
  );
}

interface EnsureOptions extends PullOptions {
  pullPolicy?: PullPolicy | undefined;
}

interface EnvVar {
  name: string;
  value?: string | Uint8Array | undefined;
}

type Environment = Readonly<Record<string, string | Uint8Array | undefined>> | readonly EnvVar[];

declare class EventStream extends CriStream<CriEvent> {
  get ready(): Promise<void>;
  get source(): WatchSource | undefined;
  close(): Promise<void>;
}

interface EventsOptions extends NodeFilter, StreamLimits {
  initial?: boolean | undefined;
  waitForRuntime?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

type Exactly<O, Known> = O & {
  readonly [K in Exclude<keyof O, keyof Known>]: never;
};

declare class ExecError<T extends string | Uint8Array = string | Uint8Array> extends CriError {
  readonly exitCode: number;
  readonly stdout: T;
  readonly stderr: T;
  constructor(
    init: Omit<CriErrorInit, "code"> & {
      exitCode: number;
      stdout: T;
      stderr: T;
    },
  );
}

interface ExecInteractiveOptions
  extends InteractiveOptions,
    Pick<ExecOptions, "commandTimeoutSeconds" | "killOnAbort"> {
  tty?: boolean | undefined;
}

type ExecInteractiveResult =
  | {
      detached: false;
      exitCode: number;
    }
  | {
      detached: true;
    };

interface ExecOptions extends SessionOptions, StreamOptions {
  commandTimeoutSeconds?: number | undefined;
  killOnAbort?: boolean | undefined;
}

interface ExecOutputOptions extends Omit<ExecOptions, "stdin" | "stdout" | "stderr" | "tty" | "terminalSize"> {
  input?: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined;
  encoding?: "utf8" | "buffer" | undefined;
  throwOnNonZero?: boolean | undefined;
  maxOutputBytes?: number | undefined;
}

interface ExecResult<T extends string | Uint8Array = string> {
  exitCode: number;
  stdout: T;
  stderr: T;
}

declare class ExecSession<
  In extends Writable | null = Writable | null,
  Out extends Readable | null = Readable | null,
  Err extends Readable | null = Readable | null,
> extends StreamSession<In, Out, Err> {
  readonly exit: Promise<{
    exitCode: number;
  }>;
}

interface ExecSyncOptions extends CallOptions {
  commandTimeoutSeconds?: number | undefined;
  encoding?: "utf8" | "buffer" | undefined;
  throwOnNonZero?: boolean | undefined;
}

interface FailedPull {
  reference: string;
  state: "failed";
  error: CriError;
}

type FileData = string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

interface FilesystemFigures {
  readonly mountpoint: string | undefined;
  readonly usedBytes: number | undefined;
  readonly inodesUsed: number | undefined;
}

interface Finding {
  readonly check: DiagnosisCheck;
  readonly status: FindingStatus;
  readonly found: string;
  readonly details: readonly string[];
  readonly remedy?: string;
  readonly commands: readonly string[];
}

type FindingStatus = "ok" | "warning" | "failure" | "skipped";

type Flag<O, K extends string, Default extends boolean> = K extends keyof O
  ? Exclude<O[K], undefined> | (undefined extends O[K] ? Default : never)
  : Default;

type GapReason = "malformed" | "tooLong" | "zeros" | "unreadable" | "lost";

interface GoJsonWriteOptions {
  replaceInvalidUtf8?: boolean | undefined;
}

type GrpcErrorCode = Exclude<keyof typeof Status, "OK">;

interface HostMount extends MountOptions {
  hostPath: string;
  recursiveReadOnly?: boolean | undefined;
  propagation?: "private" | "hostToContainer" | "bidirectional" | undefined;
  selinuxRelabel?: boolean | undefined;
  uidMappings?: readonly IdRange[] | undefined;
  gidMappings?: readonly IdRange[] | undefined;
}

interface IdRange {
  containerId: number;
  hostId: number;
  length?: number | undefined;
}

interface IdentityTokenAuth extends Server {
  identityToken: string;
  username?: undefined;
  password?: undefined;
  auth?: undefined;
  registryToken?: undefined;
}

interface ImageDiskUsage {
  readonly image: Image;
  readonly sizeBytes: number;
  readonly containers: readonly string[];
  readonly isDangling: boolean;
  readonly isReclaimable: boolean;
}

interface ImageIdentity {
  readonly reference: string | undefined;
  readonly id: string;
}

type ImageInput = string | ImageRefSpec;

type ImageKeptReason = "pinned" | "used" | "podSandbox" | "keep" | "filter" | "minAgeMs" | "unusedForMs" | "belowBytes";

interface ImageMount extends MountOptions {
  image: ImageInput;
  subPath?: string | undefined;
}

declare class ImagePullError extends CriError {
  readonly image: string;
  readonly reason: ImagePullFailure;
  constructor(
    init: CriErrorInit & {
      image: string;
      reason: ImagePullFailure;
    },
  );
}

type ImagePullFailure =
  | "NotFound"
  | "Unauthorized"
  | "RegistryUnavailable"
  | "SignatureValidationFailed"
  | "InvalidReference"
  | "Other";

declare class ImagePullsError extends CriError {
  readonly results: readonly PullResult[];
  constructor(
    init: CriErrorInit & {
      results: readonly PullResult[];
    },
  );
}

interface ImageRefSpec {
  reference: string;
  annotations?: Readonly<Record<string, string>> | undefined;
  runtimeHandler?: string | undefined;
}

interface ImageReference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
  readonly normalized: string;
  readonly familiar: string;
}

interface ImageTimes {
  readonly firstSeen: Date;
  readonly lastUsed: Date | undefined;
}

declare class ImageUsage {
  constructor(saved?: SavedImageUsage);
  get(image: Pick<Image, "id">): ImageTimes | undefined;
  toJSON(): SavedImageUsage;
}

declare class Images {
  pull(image: ImageInput, options?: PullOptions): Promise<string>;
  ensure(image: ImageInput, options?: EnsureOptions): Promise<Image>;
  pullAll(images: readonly (ImageInput | PullRequest)[], options?: PullAllOptions): Promise<PulledImage[]>;
  get(image: ImageInput, options?: CallOptions): Promise<Image | undefined>;
  exists(image: ImageInput, options?: CallOptions): Promise<boolean>;
  inspect(
    image: ImageInput,
    options?: CallOptions,
  ): Promise<
    | {
        image: Image;
        info: Record<string, string>;
      }
    | undefined
  >;
  list(
    filter?: {
      image?: ImageInput | undefined;
    },
    options?: CallOptions,
  ): Promise<Image[]>;
  iterate(
    filter?: {
      image?: ImageInput | undefined;
    },
    options?: CallOptions,
  ): CriStream<Image>;
  remove(image: ImageInput, options?: CallOptions): Promise<void>;
  prune(options?: PruneOptions): Promise<PrunedImages>;
  recordUsage(usage: ImageUsage, options?: CallOptions): Promise<void>;
  fsInfo(options?: CallOptions): Promise<ImageFsInfoResponse>;
}

interface InspectedMount {
  readonly destination: string;
  readonly source: string;
  readonly type: string;
  readonly options: readonly string[];
}

declare abstract class Inspection<Status> {
  readonly status: Status;
  readonly info: Record<string, string>;
  get details(): JsonObject | undefined;
  get runtimeSpec(): JsonObject | undefined;
  get args(): readonly string[] | undefined;
  get env(): Readonly<Record<string, string>> | undefined;
  get mounts(): readonly InspectedMount[] | undefined;
}

interface InteractiveOptions
  extends SessionOptions,
    Pick<TerminalOptions, "input" | "output" | "stderr" | "detachKeys"> {
  stdin?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

interface InterfaceFigures {
  readonly name: string;
  readonly rxBytesPerSecond: number | undefined;
  readonly txBytesPerSecond: number | undefined;
  readonly rxBytes: number | undefined;
  readonly txBytes: number | undefined;
  readonly rxErrors: number | undefined;
  readonly txErrors: number | undefined;
}

declare class InvalidDocumentError extends InvalidInputError {
  readonly faults: readonly DocumentFault[];
  constructor(
    name: string,
    faults: readonly DocumentFault[],
    {
      remedy,
      file,
    }?: {
      remedy?: string | undefined;
      file?: string | undefined;
    },
  );
}

declare class InvalidInputError extends CriError {
  readonly field: string;
  constructor(init: {
    field: string;
    message: string | readonly string[];
    value?: unknown;
    cause?: unknown;
  });
}

declare class InvalidResponseError extends CriError {
  readonly field: string;
  constructor(
    init: Omit<CriErrorInit, "code"> & {
      field: string;
    },
  );
}

type JsonObject = {
  [key: string]: JsonValue;
};

interface JsonReadOptions {
  ignoreUnknownFields?: boolean | undefined;
}

type JsonValue =
  | null
  | boolean
  | number
  | string
  | JsonValue[]
  | {
      [key: string]: JsonValue;
    };

interface ListenOptions {
  remotePort?: number | undefined;
  port?: number | undefined;
  host?: string | undefined;
  path?: string | undefined;
  signal?: AbortSignal | undefined;
}

interface ListenerEvents {
  connectionError: [error: CriError];
  close: [];
}

interface LogBytesEntry extends LogEntryBase {
  bytes: Uint8Array;
}

type LogEncoding = "utf8" | "buffer";

interface LogEntry extends LogEntryBase {
  text: string;
}

interface LogEntryBase {
  timestamp: string;
  stream: LogStreamName;
  partial: boolean;
  readonly position: string;
}

interface LogGap {
  reason: GapReason;
  path: string;
  offset: number;
  bytes?: number | undefined;
  error?: CriError | undefined;
}

interface LogOptions {
  follow?: boolean | undefined;
  since?: Date | string | undefined;
  until?: Date | string | undefined;
  tailLines?: number | undefined;
  limitBytes?: number | undefined;
  streams?: readonly LogStreamName[] | undefined;
  partial?: "join" | "separate" | undefined;
  maxLineBytes?: number | undefined;
  rotated?: boolean | undefined;
  after?: string | undefined;
  format?: "detect" | "raw" | undefined;
  onGap?: ((gap: LogGap) => void) | undefined;
  encoding?: LogEncoding | undefined;
  signal?: AbortSignal | undefined;
}

interface LogOwner {
  container: string;
  containerId: string;
  attempt: number;
  podSandboxId: string;
}

interface LogQuery {
  id?: ContainerTarget | undefined;
  pod?: PodTarget | undefined;
  podLabels?: Readonly<Record<string, string>> | undefined;
  podNamespace?: string | undefined;
  container?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
}

declare class LogStream<E extends LogEntryBase = LogEntry> extends CriStream<E> {
  get skippedLines(): number;
}

type LogStreamName = "stdout" | "stderr";

type LookupOptions = Pick<CallOptions, "signal" | "timeoutMs" | "deadline">;

interface MemoryFigures {
  readonly workingSetBytes: number | undefined;
  readonly usageBytes: number | undefined;
  readonly rssBytes: number | undefined;
  readonly limitBytes: number | undefined;
  readonly pageFaults: number | undefined;
  readonly majorPageFaults: number | undefined;
  readonly pressure: PressureFigures | undefined;
}

interface MergedLogBytesEntry extends LogBytesEntry, LogOwner {}

interface MergedLogEntry extends LogEntry, LogOwner {}

interface MergedLogOptions
  extends Omit<ContainerLogOptions, "after" | "follow" | "onGap" | "previous" | "waitForStart"> {
  follow?: boolean | "forever" | undefined;
  after?: Readonly<Record<string, string>> | undefined;
  onGap?: ((gap: LogGap, containerId: string) => void) | undefined;
  orderWindowMs?: number | undefined;
  onMissed?: ((error: CriError, containerId: string) => void) | undefined;
}

interface MessageType<T> {
  fromJSON(object: any): T;
  toJSON(message: T): unknown;
  encode(message: T): {
    finish(): Uint8Array;
  };
}

type MethodName<
  Service extends {
    methods: object;
  },
> = {
  [Key in keyof Service["methods"]]: Service["methods"][Key] extends {
    name: infer Name extends string;
  }
    ? Name
    : never;
}[keyof Service["methods"]];

interface MountOptions {
  containerPath: string;
  readOnly?: boolean | undefined;
  options?: readonly string[] | undefined;
}

type MountSpec = HostMount | ImageMount;

declare class NameReservedError extends CriError {
  readonly holderId: string | undefined;
  constructor(
    init: Omit<CriErrorInit, "code"> & {
      holderId: string | undefined;
    },
  );
}

interface NodeFilter {
  pod?: PodTarget | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  namespace?: string | undefined;
}

// import type { PodSandbox } from "k8s-cri-client/proto";
// import type { Container } from "k8s-cri-client/proto";
interface NodeState {
  readonly pods: ReadonlyMap<string, PodSandbox>;
  readonly containers: ReadonlyMap<string, Container>;
}

// import type { PodSandbox } from "k8s-cri-client/proto";
// import type { Container } from "k8s-cri-client/proto";
declare class NodeView implements NodeState, AsyncDisposable {
  readonly ready: Promise<void>;
  readonly closed: Promise<void>;
  get pods(): ReadonlyMap<string, PodSandbox>;
  get containers(): ReadonlyMap<string, Container>;
  get source(): WatchSource | undefined;
  findPods(filter?: PodFilter): PodSandbox[];
  findContainers(filter?: ContainerFilter): Container[];
  containersOf(podId: string): readonly Container[];
  on(type: "change", listener: (event: CriEvent) => void): () => void;
  on<Type extends CriEvent["type"]>(type: Type, listener: (event: CriEventOf<Type>) => void): () => void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type Not<Flag> = Flag extends true ? false : true;

type Opened<Flag, Stream> = Flag extends true ? Stream : null;

declare abstract class Operation {
  abstract readonly kind: OperationKind;
  readonly id: number;
  readonly name: string;
  readonly endpoint: string;
  readonly subject: OperationSubject;
  readonly parent: Operation | undefined;
  readonly inBackground: boolean;
  readonly startedBy: Operation | undefined;
  outcome: string | undefined;
  hasFailed: boolean | undefined;
  durationMs: number | undefined;
  runWithin(run: RunWithin): void;
}

type OperationKind = (typeof operationKinds)[number];

interface OperationSubject {
  containerId?: string;
  containerName?: string;
  podSandboxId?: string;
  podName?: string;
  podNamespace?: string;
  podUid?: string;
  image?: string;
}

interface OverheadSpec {
  cpu?: Quantity | undefined;
  memory?: Quantity | undefined;
}

declare class OwnedContainer extends Container implements AsyncDisposable {
  readonly podSandboxId: string;
  readonly adopted: boolean;
  readonly terminationGracePeriodSeconds: number | undefined;
  get config(): ContainerConfig;
  get podConfig(): PodSandboxConfig;
  stop(options?: StopOptions): Promise<void>;
  remove(options?: RemoveOptions): Promise<void>;
  release(): Container;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

declare class OwnedPodSandbox extends PodSandbox implements AsyncDisposable {
  readonly config: PodSandboxConfig;
  readonly terminationGracePeriodSeconds: number | undefined;
  readonly adopted: boolean;
  stop(options?: StopPodOptions): Promise<void>;
  remove(options?: RemoveOptions): Promise<void>;
  release(): PodSandbox;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface PasswordAuth extends Server {
  username: string;
  password: string;
  auth?: undefined;
  identityToken?: undefined;
  registryToken?: undefined;
}

interface PodCheckpointOptions extends CallOptions {
  outputPath: string;
  containers?: readonly ContainerTarget[] | undefined;
  runtimeOptions?: Readonly<Record<string, string>> | undefined;
}

type PodContainerFilter = Omit<ContainerFilter, "pod">;

// import type { PodSandbox } from "k8s-cri-client/proto";
interface PodEvent {
  readonly type: "podAdded" | "podUpdated" | "podRemoved";
  readonly pod: PodSandbox;
  readonly at: Date;
}

interface PodFilter {
  id?: string | undefined;
  state?: PodStateName | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  name?: string | undefined;
  namespace?: string | undefined;
  uid?: string | undefined;
}

interface PodIdentity {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
}

type PodInput = PodSpec | PodSandboxConfig;

declare class PodInspection extends Inspection<PodSandboxStatus> {
  get pid(): number | undefined;
  get networkNamespace(): string | undefined;
  get config(): PodSandboxConfig | undefined;
}

type PodKeptReason = "ready" | "hasContainers" | "latest" | "kubelet" | "minAgeMs";

interface PodLogOptions extends MergedLogOptions {
  container?: string | undefined;
}

interface PodLogRoot {
  root: string;
}

interface PodNamespaces {
  hostNetwork?: boolean | undefined;
  hostPID?: boolean | undefined;
  hostIPC?: boolean | undefined;
  shareProcessNamespace?: boolean | undefined;
  userNamespace?: UserNamespaceSpec | undefined;
}

interface PodResourcesUpdate {
  resources?: ResourcesSpec | undefined;
  overhead?: OverheadSpec | undefined;
}

interface PodRestoreOptions extends CallOptions {
  checkpointPath: string;
  containers?: readonly ContainerSpec[] | undefined;
  runtimeOptions?: Readonly<Record<string, string>> | undefined;
}

// import type { Container } from "k8s-cri-client/proto";
declare class PodSandbox {
  readonly kind = "pod";
  readonly id: string;
  status(options?: CallOptions): Promise<PodSandboxStatus>;
  state(options?: CallOptions): Promise<PodStateName>;
  inspect(options?: CallOptions): Promise<PodInspection>;
  stats(options?: CallOptions): Promise<PodSandboxStats>;
  containers(filter?: PodContainerFilter, options?: CallOptions): Promise<Container[]>;
  stop(options?: StopPodOptions): Promise<void>;
  remove(options?: RemoveOptions): Promise<void>;
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
  portForward(ports: number | readonly number[], options?: PortForwardOptions): PortForward;
  updateResources(update: PodResourcesUpdate, options?: CallOptions): Promise<void>;
  portForwardUrl(ports: readonly number[], options?: CallOptions): Promise<string>;
  /** @experimental */
  checkpoint(options: PodCheckpointOptions): Promise<void>;
  createContainer(spec: ContainerInput, options?: CreateContainerOptions): Promise<OwnedContainer>;
  runContainer(spec: ContainerInput, options?: CreateContainerOptions): Promise<OwnedContainer>;
}

interface PodSpec extends PodNamespaces {
  name: string;
  namespace?: string | undefined;
  uid?: string | undefined;
  attempt?: number | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
  logDirectory?: string | PodLogRoot | undefined;
  hostname?: string | undefined;
  ports?: readonly PortSpec[] | undefined;
  dns?: DnsSpec | undefined;
  runtimeHandler?: string | undefined;
  sysctls?: Readonly<Record<string, string>> | undefined;
  cgroupParent?: string | undefined;
  security?: SecuritySpec | undefined;
  resources?: ResourcesSpec | undefined;
  overhead?: OverheadSpec | undefined;
  windows?: WindowsSpec | undefined;
  terminationGracePeriodSeconds?: number | undefined;
  patch?: ((config: PodSandboxConfig) => void) | undefined;
}

type PodStateName = "ready" | "notReady";

interface PodStatsQuery {
  id?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
}

type PodTarget =
  | string
  | {
      readonly id: string;
      readonly kind?: "pod";
    };

interface PodUsage extends PodIdentity {
  readonly containers: readonly ContainerUsage[];
  readonly cpu: CpuFigures | undefined;
  readonly memory: MemoryFigures | undefined;
  readonly network: readonly InterfaceFigures[] | undefined;
  readonly processCount: number | undefined;
  readonly ioPressure: PressureFigures | undefined;
  readonly stats: PodSandboxStats | undefined;
}

declare class Pods {
  run(spec: PodInput, options?: RunPodOptions): Promise<OwnedPodSandbox>;
  /** @experimental */
  restore(
    spec: PodSpec,
    options: PodRestoreOptions,
  ): Promise<{
    pod: OwnedPodSandbox;
    restoredContainers: RestoredContainer[];
  }>;
  get(pod: PodTarget): PodSandbox;
  list(filter?: PodFilter, options?: CallOptions): Promise<PodSandboxMessage[]>;
  iterate(filter?: PodFilter, options?: CallOptions): CriStream<PodSandboxMessage>;
  find(filter: PodFilter, options?: CallOptions): Promise<PodSandbox | undefined>;
  resolve(name: string, options?: ResolveOptions): Promise<PodSandbox>;
  remove(pod: PodTarget, options?: RemoveOptions): Promise<void>;
  prune(options?: PrunePodsOptions): Promise<PrunedPods>;
  pruneLogs(root: string, options?: PruneLogsOptions): Promise<PrunedLogs>;
}

declare class PortForward implements AsyncDisposable {
  readonly ports: readonly number[];
  connect(
    port?: number,
    options?: {
      signal?: AbortSignal | undefined;
    },
  ): Promise<Duplex>;
  listen(options?: ListenOptions): Promise<PortForwardListener>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

declare class PortForwardListener extends EventEmitter<ListenerEvents> implements AsyncDisposable {
  readonly address: AddressInfo;
  readonly remotePort: number;
  private constructor();
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type PortForwardOptions = SessionOptions;

interface PortSpec {
  containerPort: number;
  hostPort?: number | undefined;
  protocol?: "TCP" | "UDP" | "SCTP" | undefined;
  hostIP?: string | undefined;
}

interface PressureFigures {
  readonly some: PressureShare | undefined;
  readonly full: PressureShare | undefined;
}

interface PressureShare {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly total: Long;
}

type ProcessNamespace =
  | "container"
  | "pod"
  | "host"
  | {
      target: string;
    };

type ProfileSpec =
  | "RuntimeDefault"
  | "Unconfined"
  | {
      localhostProfile: string;
    };

interface ProgressOptions {
  onProgress?: ((progress: CopyProgress) => void) | undefined;
}

// import type { PodSandbox } from "k8s-cri-client/proto";
interface PrunablePod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly sandboxes: readonly PodSandbox[];
}

interface PruneContainersOptions extends PrunePodsOptions {
  maxPerContainer?: number | undefined;
  maxContainers?: number | undefined;
}

interface PruneLogsOptions extends CallOptions {
  links?: string | undefined;
  minAgeMs?: number | undefined;
  dryRun?: boolean | undefined;
}

interface PruneOptions extends CallOptions {
  filter?: ((image: Image) => boolean) | undefined;
  keep?: readonly string[] | ((image: Image) => boolean) | undefined;
  minAgeMs?: number | undefined;
  unusedForMs?: number | undefined;
  usage?: ImageUsage | undefined;
  belowBytes?: number | undefined;
  dryRun?: boolean | undefined;
}

interface PrunePodsOptions extends NodeFilter, CallOptions {
  minAgeMs?: number | undefined;
  isGone?: ((pod: PrunablePod) => boolean) | undefined;
  includeKubelet?: boolean | undefined;
  dryRun?: boolean | undefined;
}

// import type { Container } from "k8s-cri-client/proto";
interface PrunedContainers {
  removed: Container[];
  failed: {
    container: Container;
    error: CriError;
  }[];
  kept: {
    container: Container;
    reason: ContainerKeptReason;
  }[];
}

interface PrunedImages {
  removed: Image[];
  failed: {
    image: Image;
    error: CriError;
  }[];
  kept: {
    image: Image;
    reason: ImageKeptReason;
  }[];
  removedBytes: number;
}

interface PrunedLogs {
  directories: string[];
  files: string[];
  links: string[];
  failed: {
    path: string;
    error: unknown;
  }[];
}

// import type { PodSandbox } from "k8s-cri-client/proto";
interface PrunedPods {
  removed: PodSandbox[];
  failed: {
    pod: PodSandbox;
    error: CriError;
  }[];
  kept: {
    pod: PodSandbox;
    reason: PodKeptReason;
  }[];
}

interface PullAllOptions extends EnsureOptions {
  concurrency?: number | undefined;
  onProgress?: ((progress: PullProgress) => void) | undefined;
  stopOnError?: boolean | undefined;
}

interface PullOptions extends CallOptions {
  auth?: RegistryAuth | RegistryCredentials | undefined;
  podConfig?: PodSandboxConfig | undefined;
}

type PullPolicy = "missing" | "always" | "never";

interface PullProgress {
  readonly reference: string;
  readonly state: PullState;
  readonly error: CriError | undefined;
  readonly counts: Readonly<Record<PullState, number>>;
}

interface PullRequest extends Pick<EnsureOptions, "auth" | "podConfig" | "pullPolicy"> {
  image: ImageInput;
}

type PullResult = PulledImage | FailedPull | SkippedPull;

interface PullSecret {
  type?: string | undefined;
  metadata?:
    | {
        name?: string | undefined;
        namespace?: string | undefined;
      }
    | undefined;
  data?: Readonly<Record<string, string>> | undefined;
  stringData?: Readonly<Record<string, string>> | undefined;
}

type PullState = "queued" | "pulling" | PullResult["state"];

interface PulledImage {
  reference: string;
  state: "pulled" | "present";
  image: Image;
}

type Quantity = string | number | bigint | Long;

interface RawCallExtension {
  timeoutMs?: number | undefined;
  deadline?: Date | undefined;
  retry?: RetryPolicy | false | undefined;
}

type RawCallOptions = GrpcCallOptions & RawCallExtension;

interface RawClients {
  readonly runtime: RuntimeServiceClient<RawCallExtension>;
  readonly image: ImageServiceClient<RawCallExtension>;
}

interface ReadFileOptions extends CopyOptions {
  encoding?: "utf8" | "buffer" | undefined;
  maxBytes?: number | undefined;
}

interface ReadLogOptions extends LogOptions {
  waitForFile?: boolean | undefined;
  isRunning?: ((signal: AbortSignal) => boolean | Promise<boolean>) | undefined;
  writerEnded?: AbortSignal | undefined;
  pollIntervalMs?: number | undefined;
}

type RegistryAuth = PasswordAuth | EncodedAuth | IdentityTokenAuth | RegistryTokenAuth;

declare class RegistryCredentials {
  private constructor();
  static load(options?: RegistryCredentialsOptions): Promise<RegistryCredentials>;
  static fromSecrets(secrets: readonly PullSecret[]): RegistryCredentials;
  withSecrets(secrets: readonly PullSecret[]): RegistryCredentials;
  get sources(): CredentialsSourceInfo[];
  lookup(image: string, options?: LookupOptions): Promise<CredentialsMatch[]>;
  toJSON(): {
    sources: CredentialsSourceInfo[];
  };
  [inspect.custom](): object;
}

interface RegistryCredentialsOptions {
  secrets?: readonly PullSecret[] | undefined;
  files?: readonly string[] | undefined;
  plugins?: CredentialPlugins | undefined;
  helperTimeoutMs?: number | undefined;
  passEnv?: readonly string[] | undefined;
  env?: NodeJS.ProcessEnv | undefined;
}

interface RegistryTokenAuth extends Server {
  registryToken: string;
  username?: undefined;
  password?: undefined;
  auth?: undefined;
  identityToken?: undefined;
}

interface RemoveOptions extends CallOptions {
  gracePeriodSeconds?: number | undefined;
}

interface RepositoryDiskUsage {
  readonly repository: string;
  readonly images: readonly Image[];
  readonly sizeBytes: number;
}

interface ResolveAllOptions extends ResolveOptions {
  kind?: "pod" | "container" | undefined;
}

interface ResolveOptions extends CallOptions {
  namespace?: string | undefined;
}

interface ResourceLimits {
  cpu?: Quantity | undefined;
  memory?: Quantity | undefined;
  [hugepages: `hugepages-${string}`]: Quantity | undefined;
}

interface ResourceRequests {
  cpu?: Quantity | undefined;
  memory?: Quantity | undefined;
}

interface ResourcesSpec {
  requests?: ResourceRequests | undefined;
  limits?: ResourceLimits | undefined;
  cpusetCpus?: string | undefined;
  cpusetMems?: string | undefined;
  memoryAndSwapLimit?: Quantity | undefined;
  oomScoreAdj?: number | undefined;
  unified?: Readonly<Record<string, string>> | undefined;
}

interface RestartOptions extends CallOptions {
  gracePeriodSeconds?: number | undefined;
  keepOld?: boolean | undefined;
  config?: ContainerConfig | undefined;
  spec?: ContainerSpec | undefined;
  pullPolicy?: CreateContainerOptions["pullPolicy"];
  auth?: CreateContainerOptions["auth"];
  podConfig?: CreateContainerOptions["podConfig"];
}

interface ResyncEvent extends NodeState {
  readonly type: "resync";
  readonly reason: "initial" | "gap" | "overflow";
  readonly at: Date;
}

interface RetryPolicy {
  maxAttempts?: number | undefined;
  initialBackoffMs?: number | undefined;
  maxBackoffMs?: number | undefined;
}

interface RotateLogOptions extends CallOptions, Pick<ContainerLogOptions, "localPath"> {}

type Rpc =
  | `RuntimeService/${MethodName<typeof proto.RuntimeServiceDefinition>}`
  | `ImageService/${MethodName<typeof proto.ImageServiceDefinition>}`;

interface RunPodOptions extends CallOptions {
  adopt?: boolean | undefined;
  runtimeHandler?: string | undefined;
}

type RunWithin = <T>(work: () => T) => T;

interface RuntimeCapabilities {
  runtimeName: string;
  runtimeVersion: string;
  runtimeApiVersion: string;
  runtimeConfig: boolean;
  podMetrics: boolean;
  streamingLists: boolean;
  updatePodResources: boolean;
  checkpointContainer: boolean;
  checkpointPod: boolean;
  runtimeHandlers: RuntimeHandler[];
  features: RuntimeFeatures | undefined;
}

interface SELinuxSpec {
  user?: string | undefined;
  role?: string | undefined;
  type?: string | undefined;
  level?: string | undefined;
}

interface SavedImageUsage {
  since?: string | undefined;
  images: Record<
    string,
    {
      firstSeen: string;
      lastUsed?: string | undefined;
    }
  >;
}

interface SecuritySpec {
  privileged?: boolean | undefined;
  readOnlyRootFilesystem?: boolean | undefined;
  runAsUser?: number | undefined;
  runAsGroup?: number | undefined;
  supplementalGroups?: readonly number[] | undefined;
  supplementalGroupsPolicy?: "Merge" | "Strict" | undefined;
  seccomp?: ProfileSpec | undefined;
  apparmor?: ProfileSpec | undefined;
  selinux?: SELinuxSpec | undefined;
}

interface Server {
  serverAddress?: string | undefined;
}

declare class SessionOperation extends Operation {
  readonly kind = "session";
  transport: "spdy" | "websocket" | undefined;
  exitCode: number | undefined;
  sentBytes: number;
  receivedBytes: number;
}

interface SessionOptions extends CallOptions {
  signal?: AbortSignal | undefined;
  transport?: StreamTransport | undefined;
  handshakeTimeoutMs?: number | undefined;
  pingIntervalMs?: number | undefined;
}

type ShortName<Key extends string> = Key extends `SIGNAL_SIGRTMINPLUS${infer N}`
  ? `RTMIN+${N}`
  : Key extends `SIGNAL_SIGRTMAXMINUS${infer N}`
    ? `RTMAX-${N}`
    : Key extends `SIGNAL_SIG${infer Name}`
      ? Name
      : never;

interface SkippedPull {
  reference: string;
  state: "skipped";
}

declare class Stats {
  container(container: ContainerTarget, options?: CallOptions): Promise<ContainerStats>;
  containers(query?: ContainerStatsQuery, options?: CallOptions): Promise<ContainerStats[]>;
  iterateContainers(query?: ContainerStatsQuery, options?: CallOptions): CriStream<ContainerStats>;
  pod(pod: PodTarget, options?: CallOptions): Promise<PodSandboxStats>;
  pods(query?: PodStatsQuery, options?: CallOptions): Promise<PodSandboxStats[]>;
  iteratePods(query?: PodStatsQuery, options?: CallOptions): CriStream<PodSandboxStats>;
  snapshot(options?: UsageSnapshotOptions): Promise<UsageSnapshot>;
  watch(options?: UsageWatchOptions): CriStream<UsageSnapshot>;
  diskUsage(options?: CallOptions): Promise<DiskUsage>;
  metricDescriptors(options?: CallOptions): Promise<MetricDescriptor[]>;
  podMetrics(options?: CallOptions): Promise<PodSandboxMetrics[]>;
  iteratePodMetrics(options?: CallOptions): CriStream<PodSandboxMetrics>;
}

type StatusOf<Target extends WaitTarget> = Target extends {
  readonly kind: "pod";
}
  ? PodSandboxStatus
  : ContainerStatus;

type StderrOf<O> = Opened<Flag<O, "stderr", Not<Flag<O, "tty", false>>>, Readable>;

type StdinOf<O> = Opened<Flag<O, "stdin", false>, Writable>;

type StdoutOf<O> = Opened<Flag<O, "stdout", true>, Readable>;

interface StopOptions extends CallOptions {
  gracePeriodSeconds?: number | undefined;
}

interface StopPodOptions extends CallOptions {
  gracePeriodSeconds?: number | undefined;
}

type StopSignal = `${"SIG" | ""}${ShortName<keyof typeof Signal>}`;

type StreamKind = "exec" | "attach" | "portForward";

interface StreamLimits {
  timeoutMs?: number | undefined;
  deadline?: Date | undefined;
}

interface StreamOptions {
  stdin?: boolean | undefined;
  stdout?: boolean | undefined;
  stderr?: boolean | undefined;
  tty?: boolean | undefined;
  terminalSize?: TerminalSize | undefined;
}

declare abstract class StreamSession<
  In extends Writable | null = Writable | null,
  Out extends Readable | null = Readable | null,
  Err extends Readable | null = Readable | null,
> implements AsyncDisposable
{
  readonly stdin: In;
  readonly stdout: Out;
  readonly stderr: Err;
  readonly transport: StreamTransport;
  readonly canHalfCloseStdin: boolean;
  get droppedBytes(): number;
  resize(size: TerminalSize): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type StreamTransport = "spdy" | "websocket";

interface StreamUrlOptions extends CallOptions, Omit<StreamOptions, "terminalSize"> {}

interface SwapFigures {
  readonly usedBytes: number | undefined;
  readonly availableBytes: number | undefined;
}

interface TerminalInput extends Readable {
  isTTY?: boolean | undefined;
  isRaw?: boolean | undefined;
  setRawMode?: ((mode: boolean) => unknown) | undefined;
}

interface TerminalOptions {
  input?: TerminalInput | undefined;
  output?: TerminalOutput | undefined;
  stderr?: Writable | undefined;
  detachKeys?: string | false | undefined;
  tty?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

interface TerminalOutput extends Writable {
  columns?: number | undefined;
  rows?: number | undefined;
}

interface TerminalSize {
  columns: number;
  rows: number;
}

interface TlsOptions {
  ca?: string | Uint8Array | undefined;
  cert?: string | Uint8Array | undefined;
  key?: string | Uint8Array | undefined;
  serverName?: string | undefined;
}

interface TriedEndpoint {
  endpoint: string;
  source: string;
  outcome: string;
}

interface UsageFilter {
  pod?: PodTarget | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
}

interface UsageSnapshot {
  readonly at: Date;
  readonly containers: readonly ContainerUsage[];
  readonly pods: readonly PodUsage[];
  readonly podStatsError: CriError | undefined;
}

interface UsageSnapshotOptions extends UsageFilter, CallOptions {}

interface UsageWatchOptions extends UsageFilter, StreamLimits, Omit<CallOptions, "deadline" | "timeoutMs"> {
  waitForRuntime?: boolean | undefined;
  intervalMs?: number | undefined;
  sampleTimeoutMs?: number | undefined;
  onMissed?: ((error: CriError) => void) | undefined;
}

interface UserNamespaceSpec {
  uids: readonly IdRange[];
  gids: readonly IdRange[];
}

type WaitTarget = {
  readonly kind: "pod" | "container";
  readonly id: string;
};

interface WatchOptions extends NodeFilter, StreamLimits {
  waitForRuntime?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

interface WatchSettings {
  source?: WatchSource | undefined;
  pollMs?: number | undefined;
  relistMs?: number | undefined;
}

type WatchSource = "events" | "list";

type WholeNumber = Long | number | string | undefined;

interface WindowsContainerSpec extends WindowsSpec {
  processors?: number | undefined;
}

interface WindowsSpec {
  runAsUserName?: string | undefined;
  credentialSpec?: string | undefined;
  hostProcess?: boolean | undefined;
}

declare class WorkflowOperation extends Operation {
  readonly kind = "workflow";
  readonly events: string[];
}

interface WriteFileOptions extends CopyOptions {
  mode?: number | undefined;
  size?: number | undefined;
  maxBytes?: number | undefined;
}

declare function authFromDockerConfig(config: string | object, image: string): RegistryAuth | undefined;

declare const callPolicies: Readonly<Record<Rpc, CallPolicy>>;

declare function cpuCores(previous: CpuReading | undefined, current: CpuReading | undefined): number | undefined;

declare function diagnose(options?: DiagnoseOptions): Promise<Diagnosis>;

declare function discoverEndpoint(options?: DiscoverOptions): Promise<string>;

declare function loadCrictlConfig(
  path?: string | undefined,
  env?: NodeJS.ProcessEnv,
  options?: CrictlConfigLeniency,
): Promise<CrictlConfig | undefined>;

declare function messageFromGoJson<T>(type: MessageType<T>, json: unknown, options?: JsonReadOptions): T;

declare function messageFromJson<T>(type: MessageType<T>, json: unknown, options?: JsonReadOptions): T;

declare function messageToGoJson<T>(type: MessageType<T>, message: T, options?: GoJsonWriteOptions): JsonObject;

declare function messageToJson<T>(type: MessageType<T>, message: T): JsonObject;

declare const operationKinds: readonly ["call", "attempt", "session", "workflow"];

declare function parseImageReference(reference: string): ImageReference;

declare function readLogFile(
  path: string,
  options?: ReadLogOptions & {
    encoding?: "utf8" | undefined;
  },
): LogStream;

declare function readLogFile(
  path: string,
  options: ReadLogOptions & {
    encoding: "buffer";
  },
): LogStream<LogBytesEntry>;

declare function readLogFile(path: string, options?: ReadLogOptions): LogStream<LogEntry> | LogStream<LogBytesEntry>;

declare function redact<T>(value: T): T;

declare function toDate(nanoseconds: Long): Date | undefined;

declare function toNanoseconds(date: Date): Long;

declare function toRfc3339Nano(nanoseconds: Long): string | undefined;
