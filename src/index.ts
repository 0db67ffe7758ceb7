/**
 * `k8s-cri-client`: a typed client of the Kubernetes Container Runtime Interface (CRI v1).
 *
 * ```ts
 * import { CriClient } from "k8s-cri-client";
 *
 * await using cri = await CriClient.connect();
 * await using pod = await cri.pods.run({ name: "demo" });
 * await using web = await cri.runContainerInSandbox(pod, { name: "web", image: "docker.io/library/nginx:1.29" });
 * console.log((await web.execSync(["hostname"])).stdout);
 * ```
 *
 * The messages of the protocol are in `k8s-cri-client/proto`, metrics in Prometheus' format in `k8s-cri-client/prometheus`, spans
 * and metrics for OpenTelemetry in `k8s-cri-client/otel`, a runtime to test against in `k8s-cri-client/testing`.
 *
 * @module k8s-cri-client
 */

// The client

export { CriClient, type RawClients } from "./client.js";
export { type CrictlConfig, type CrictlConfigLeniency, loadCrictlConfig } from "./transport/crictl-config.js";
export type { DiscoverOptions } from "./transport/discover-options.js";
export { discoverEndpoint } from "./transport/discovery.js";

// What the diagnostics channels publish

export type { Operation, RunWithin } from "./tracing/operation.js";
export type {
  AnyOperation as CriOperation,
  AttemptOperation,
  CallOperation,
  SessionOperation,
  WorkflowOperation,
} from "./tracing/operations.js";
export type { OperationSubject } from "./tracing/subject.js";

// Resources

export type { CriStream } from "./internal/stream.js";
export type { RuntimeCapabilities } from "./resources/capabilities.js";
export type { CheckpointOptions, PodCheckpointOptions } from "./resources/checkpoint.js";
export type { Container, OwnedContainer } from "./resources/container.js";
export type { ContainerFilter, ContainerStateName, PodContainerFilter } from "./resources/container-filter.js";
export type { Containers } from "./resources/containers.js";
export type { CreateContainerOptions } from "./resources/creation/create-container.js";
export type { ContainerInput, PodInput } from "./resources/creation/message-input.js";
export type { RestartOptions } from "./resources/creation/restart.js";
export type { PodRestoreOptions } from "./resources/creation/restore-pod.js";
export type { RunPodOptions } from "./resources/creation/run-pod.js";
export type { EnsureOptions, PullOptions, PullPolicy } from "./resources/ensure-image.js";
export type { Images } from "./resources/images.js";
export type { ContainerInspection, PodInspection } from "./resources/inspection.js";
export type { OwnedPodSandbox, PodSandbox } from "./resources/pod.js";
export type { PodFilter, PodStateName } from "./resources/pod-filter.js";
export type { Pods } from "./resources/pods.js";
export { type ImageTimes, ImageUsage, type SavedImageUsage } from "./resources/pruning/image-usage.js";
export type { PrunablePod, PrunePodsOptions } from "./resources/pruning/prunable-pods.js";
export type {
  ContainerKeptReason,
  PruneContainersOptions,
  PrunedContainers,
} from "./resources/pruning/prune-containers.js";
export type { ImageKeptReason, PrunedImages, PruneOptions } from "./resources/pruning/prune-images.js";
export type { PrunedLogs, PruneLogsOptions } from "./resources/pruning/prune-logs.js";
export type { PodKeptReason, PrunedPods } from "./resources/pruning/prune-pods.js";
export type { PullAllOptions, PullProgress, PullRequest, PullState } from "./resources/pull-all.js";
export type { ResolveAllOptions, ResolveOptions } from "./resources/resolving/resolve.js";
export type { ExecResult } from "./resources/sessions/exec-result.js";
export type { ExecSyncOptions } from "./resources/sessions/exec-sync.js";
export type { ContainerStatsQuery, PodStatsQuery, Stats } from "./resources/stats.js";
export type { RemoveOptions, StopOptions, StopPodOptions } from "./resources/stopping.js";
export type { ContainerTarget, PodTarget } from "./resources/target.js";
export type { ContainerResourcesUpdate, PodResourcesUpdate } from "./resources/update-resources.js";
export type {
  ContainerDiskUsage,
  DiskFilesystem,
  DiskUsage,
  ImageDiskUsage,
  RepositoryDiskUsage,
} from "./resources/usage/disk-usage.js";
export type {
  CpuFigures,
  FilesystemFigures,
  MemoryFigures,
  PressureFigures,
  PressureShare,
  SwapFigures,
} from "./resources/usage/figures.js";
export type { InterfaceFigures } from "./resources/usage/network.js";
export { type CpuReading, cpuCores } from "./resources/usage/rates.js";
export type { ImageIdentity, PodIdentity } from "./resources/usage/running-containers.js";
export type { ContainerUsage, PodUsage, UsageFilter, UsageSnapshot } from "./resources/usage/snapshot.js";
export type { UsageSnapshotOptions, UsageWatchOptions } from "./resources/usage/watch.js";
export type { ContainerExit } from "./resources/wait.js";

// Watching

export type {
  ContainerEvent,
  ContainerExitedEvent,
  CriEvent,
  CriEventOf,
  NodeState,
  PodEvent,
  ResyncEvent,
} from "./resources/watching/event.js";
export type { EventStream, EventsOptions } from "./resources/watching/event-stream.js";
export type { NodeFilter } from "./resources/watching/node-filter.js";
export type { NodeView, WatchOptions } from "./resources/watching/view.js";
export type { StatusOf, WaitTarget } from "./resources/watching/wait-for.js";

// Diagnosis

export { type Diagnosis, diagnose } from "./diagnosis/diagnose.js";
export type { DiagnosisCheck, Finding, FindingStatus } from "./diagnosis/finding.js";
export type { DeepOptions, DiagnoseOptions } from "./diagnosis/options.js";

// Sessions

export type { CopyOptions } from "./resources/sessions/copy/container-commands.js";
export type { CopyFromOptions } from "./resources/sessions/copy/copy-from.js";
export type { CopyToOptions } from "./resources/sessions/copy/copy-to.js";
export type { ArchiveData, FileData } from "./resources/sessions/copy/file-data.js";
export type { CopyProgress, ProgressOptions } from "./resources/sessions/copy/progress.js";
export type { ReadFileOptions } from "./resources/sessions/copy/read-file.js";
export type { CopyFromResult } from "./resources/sessions/copy/unpack.js";
export type { WriteFileOptions } from "./resources/sessions/copy/write-file.js";
export type { ExecOutputOptions } from "./resources/sessions/exec-output.js";
export type {
  AttachInteractiveOptions,
  ExecInteractiveOptions,
  ExecInteractiveResult,
} from "./resources/sessions/interactive.js";
export type { SessionOptions } from "./resources/sessions/open-session.js";
export type { PortForward, PortForwardOptions } from "./resources/sessions/port-forward.js";
export type { ListenOptions, PortForwardListener } from "./resources/sessions/port-forward-listener.js";
export type { AttachSession, ExecSession, StreamSession } from "./resources/sessions/session.js";
export type {
  AttachOptions,
  ExecOptions,
  StderrOf,
  StdinOf,
  StdoutOf,
  StreamOptions,
} from "./resources/sessions/stream-options.js";
export type { StreamUrlOptions } from "./resources/sessions/stream-url.js";
export type { TerminalInput } from "./resources/sessions/terminal/input.js";
export type { TerminalOutput } from "./resources/sessions/terminal/output.js";
export type { TerminalOptions } from "./resources/sessions/terminal/terminal.js";
export type { StreamTransport, TerminalSize } from "./streaming/transport.js";

// Logs

export type { LogBytesEntry, LogEntry, LogEntryBase, LogStreamName } from "./logs/entry.js";
export type { LogEncoding } from "./logs/entry-batch.js";
export type { GapReason, LogGap } from "./logs/log-gap.js";
export type { LogStream } from "./logs/log-stream.js";
export { readLogFile } from "./logs/read-log-file.js";
export type { LogOptions, ReadLogOptions } from "./logs/read-options.js";
export type { ContainerLogOptions } from "./resources/logs/container-logs.js";
export type { LogQuery } from "./resources/logs/log-query.js";
export type { LogOwner, MergedLogBytesEntry, MergedLogEntry } from "./resources/logs/merged-log-entry.js";
export type { MergedLogOptions, PodLogOptions } from "./resources/logs/merged-log-options.js";
export type { RotateLogOptions } from "./resources/logs/rotate-log.js";

// Credentials

export {
  type CredentialPlugins,
  type CredentialsSourceInfo,
  type LookupOptions,
  RegistryCredentials,
  type RegistryCredentialsOptions,
} from "./credentials/registry-credentials.js";
export type { CredentialsMatch } from "./credentials/source.js";
export { authFromDockerConfig } from "./specs/credentials/docker-auth.js";
export type { PullSecret } from "./specs/credentials/pull-secret.js";
export type {
  EncodedAuth,
  IdentityTokenAuth,
  PasswordAuth,
  RegistryAuth,
  RegistryTokenAuth,
} from "./specs/credentials/registry-auth.js";

// Specs

export type { CapabilitiesSpec } from "./specs/capabilities.js";
export type { ContainerSpec, WindowsContainerSpec } from "./specs/container-spec.js";
export type { Environment, EnvVar } from "./specs/environment.js";
export type { ImageInput, ImageRefSpec } from "./specs/image-ref.js";
export { type ImageReference, parseImageReference } from "./specs/image-reference.js";
export type { DeviceSpec, HostMount, ImageMount, MountSpec } from "./specs/mounts.js";
export type { IdRange, PodNamespaces, ProcessNamespace, UserNamespaceSpec } from "./specs/namespaces.js";
export type { DnsSpec, PodLogRoot, PodSpec, PortSpec, WindowsSpec } from "./specs/pod-spec.js";
export type { Quantity } from "./specs/quantity.js";
export type { OverheadSpec, ResourceLimits, ResourceRequests, ResourcesSpec } from "./specs/resources.js";
export type { ContainerSecuritySpec, ProfileSpec, SELinuxSpec, SecuritySpec } from "./specs/security.js";
export type { StopSignal } from "./specs/signal.js";
export type { InspectedMount } from "./specs/verbose-info.js";

// Errors

export {
  CredentialsError,
  CriError,
  type CriErrorCode,
  type CriErrorInit,
  type DocumentFault,
  EndpointError,
  ExecError,
  type FailedPull,
  type GrpcErrorCode,
  ImagePullError,
  type ImagePullFailure,
  ImagePullsError,
  InvalidDocumentError,
  InvalidInputError,
  InvalidResponseError,
  NameReservedError,
  type PulledImage,
  type PullResult,
  type SkippedPull,
  type TriedEndpoint,
} from "./errors.js";

// Options

export type {
  CallOptions,
  ConnectOptions,
  CriLogger,
  DerivedDefaults,
  RetryPolicy,
  StreamKind,
  StreamLimits,
  TlsOptions,
  WatchSettings,
  WatchSource,
} from "./options.js";
export { type CallPolicy, callPolicies, type Effect, type Rpc } from "./transport/call-policy.js";
export type { RawCallExtension, RawCallOptions } from "./transport/wire-options.js";

// Messages: states and conversions that go with the facade; everything else is in "k8s-cri-client/proto"

export type { MessageType } from "./internal/message-shape.js";
export { redact } from "./internal/redact.js";
export { toDate, toNanoseconds, toRfc3339Nano } from "./internal/time.js";
export { type GoJsonWriteOptions, messageFromGoJson, messageToGoJson } from "./json/go-json.js";
export { type JsonObject, type JsonValue, messageFromJson, messageToJson } from "./json/message-json.js";
export type { JsonReadOptions } from "./json/read-message.js";
export { ContainerState, PodSandboxState } from "./proto.js";
