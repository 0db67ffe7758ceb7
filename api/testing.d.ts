// The public types of k8s-cri-client/testing. Written by `npm run api`.

export type { BackendContainer };
export type { BackendPod };
export type { BackendScripts };
export type { Chaos };
export type { ChaosFault };
export type { ChaosKind };
export type { ChaosOptions };
export type { Clock };
export type { ContainerBackend };
export type { ContainerEnd };
export type { ContainerProcess };
export type { ContainerScript };
export type { EventMode };
export type { ExecAnswer };
export type { ExecOutcome };
export type { ExecScript };
export type { FailOptions };
export type { FakeEvent };
export type { FakeFlavor };
export type { FakeImage };
export { FakeRuntime };
export type { FakeRuntimeOptions };
export type { FaultKind };
export type { FaultOptions };
export type { FaultPhase };
export { HostProcessBackend };
export type { InjectedFault };
export type { MetadataValue };
export type { OversizeOptions };
export type { PendingFault };
export type { ProcessUsage };
export type { Program };
export type { ProgramIo };
export type { RecordedCall };
export type { RegistryRule };
export type { RegistryRules };
export type { ReplyFaultOptions };
export type { ReplyScript };
export type { RestartOptions };
export type { RpcName };
export type { RpcReply };
export type { RpcRequest };
export { ScriptedBackend };
export type { ServerTls };
export type { SignalResponse };
export type { SlowOptions };
export type { StreamingProtocols };
export type { StreamingRpcName };
export type { TerminalSize } from "k8s-cri-client";

import type { Container } from "k8s-cri-client/proto";
import type { ContainerConfig } from "k8s-cri-client/proto";
import type { ContainerEventResponse } from "k8s-cri-client/proto";
import type { Duplex } from "node:stream";
import type { Image } from "k8s-cri-client/proto";
import type { ImageServiceDefinition } from "k8s-cri-client/proto";
import type { PodSandbox } from "k8s-cri-client/proto";
import type { PodSandboxConfig } from "k8s-cri-client/proto";
import type { Readable } from "node:stream";
import type { RuntimeServiceDefinition } from "k8s-cri-client/proto";
import type { VersionResponse } from "k8s-cri-client/proto";
import type { Writable } from "node:stream";

interface BackendContainer {
  readonly id: string;
  readonly podId: string;
  readonly command: readonly string[];
  readonly image: string;
  readonly imageEnv: Readonly<Record<string, string>>;
  readonly config: ContainerConfig;
  readonly podConfig: PodSandboxConfig;
  readonly logPath: string;
  readonly clock: Clock;
}

interface BackendPod {
  readonly id: string;
  readonly config: PodSandboxConfig;
}

interface BackendScripts {
  run?: ((container: BackendContainer) => ContainerScript | undefined) | undefined;
  exec?:
    | ((
        container: BackendContainer,
        command: readonly string[],
        signal: AbortSignal,
      ) => ExecAnswer | Promise<ExecAnswer>)
    | undefined;
  portForward?: ((pod: BackendPod, port: number) => Duplex | undefined | Promise<Duplex | undefined>) | undefined;
}

declare class Chaos implements Disposable, AsyncDisposable {
  readonly seed: string | number;
  get faults(): readonly ChaosFault[];
  get active(): boolean;
  stop(): Promise<void>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

interface ChaosFault extends InjectedFault {
  readonly rpc: RpcName;
  readonly ordinal: number;
}

type ChaosKind = "fail" | "delay" | "drop" | "hang" | "restart";

interface ChaosOptions {
  seed?: string | number | undefined;
  rate?: number | undefined;
  kinds?: readonly ChaosKind[] | undefined;
  rpcs?: readonly RpcName[] | undefined;
  codes?: readonly GrpcErrorCode[] | undefined;
  maxDelayMs?: number | undefined;
  maxHangMs?: number | undefined;
  maxDownMs?: number | undefined;
}

interface Clock {
  now(): bigint;
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  startTimer(delayMs: number, callback: () => void): () => void;
}

interface ContainerBackend {
  readonly runsOnHost?: boolean | undefined;
  create?(container: BackendContainer): void | Promise<void>;
  start(container: BackendContainer): ContainerProcess | Promise<ContainerProcess>;
  execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome>;
  exec?(container: BackendContainer, command: readonly string[], io: ProgramIo): Promise<number>;
  portForward?(pod: BackendPod, port: number): Duplex | undefined | Promise<Duplex | undefined>;
  dispose?(): void | Promise<void>;
}

interface ContainerEnd {
  readonly exitCode: number;
  readonly reason?: string | undefined;
}

interface ContainerProcess {
  readonly pid: number;
  readonly ended: Promise<ContainerEnd>;
  signal(name: string): void;
  readonly stdin?: Writable | undefined;
  readonly stdout?: Readable | undefined;
  readonly stderr?: Readable | undefined;
  resize?(size: TerminalSize): void;
  usage?(): ProcessUsage | undefined;
}

interface ContainerScript {
  exitCode?: number | Promise<number> | undefined;
  afterMs?: number | undefined;
  onSignal?: ((signal: string) => SignalResponse | Promise<SignalResponse>) | undefined;
  stdout?: string | Uint8Array | undefined;
  stderr?: string | Uint8Array | undefined;
  program?: Program | undefined;
  reason?: string | undefined;
  startError?: string | undefined;
}

type EventMode = "broadcast" | "shared" | "off";

type ExecAnswer = ExecScript | Program | undefined;

interface ExecOutcome {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

interface ExecScript {
  exitCode?: number | undefined;
  stdout?: string | Uint8Array | undefined;
  stderr?: string | Uint8Array | undefined;
}

interface FailOptions<N extends RpcName = RpcName> extends FaultOptions<N> {
  code: GrpcErrorCode;
  message?: string | undefined;
  trailers?: Readonly<Record<string, string>> | undefined;
}

type FakeEvent = Parameters<typeof ContainerEventResponse.fromPartial>[0];

type FakeFlavor = "containerd-1.6" | "containerd-1.7" | "containerd-2" | "cri-o" | "cri-dockerd";

interface FakeImage {
  reference: string;
  digest?: string | undefined;
  entrypoint?: readonly string[] | undefined;
  command?: readonly string[] | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  stopSignal?: string | undefined;
  size?: number | undefined;
  pinned?: boolean | undefined;
  user?: number | string | undefined;
  gid?: number | undefined;
  groups?: readonly number[] | undefined;
}

declare class FakeRuntime implements AsyncDisposable {
  readonly endpoint: string;
  readonly flavor: FakeFlavor;
  private constructor();
  static start(options?: FakeRuntimeOptions): Promise<FakeRuntime>;
  connect(options?: Omit<ConnectOptions, "endpoint" | "imageEndpoint">): Promise<CriClient>;
  get calls(): readonly RecordedCall[];
  callsOf<N extends RpcName>(rpc: N): RecordedCall<N>[];
  nextCall<N extends RpcName>(rpc: N, match?: (request: RpcRequest<N>) => boolean): Promise<RecordedCall<N>>;
  clearCalls(): void;
  failNext<N extends RpcName>(rpc: N | "*", options: FailOptions<N>): void;
  delayNext<N extends RpcName>(rpc: N | "*", ms: number, options?: FaultOptions<N>): void;
  hangNext<N extends RpcName>(rpc: N | "*", options?: FaultOptions<N>): void;
  dropNext<N extends RpcName>(rpc: N | "*", phase?: FaultPhase, options?: Omit<FaultOptions<N>, "phase">): void;
  respondNext<N extends RpcName>(rpc: N, reply: ReplyScript<N>, options?: ReplyFaultOptions<N>): void;
  slowNext<N extends RpcName>(rpc: N | "*", options?: SlowOptions<N>): void;
  oversizeNext<N extends RpcName>(rpc: N | "*", options?: OversizeOptions<N>): void;
  get pendingFaults(): readonly PendingFault[];
  clearFaults(): void;
  startChaos(options?: ChaosOptions): Chaos;
  emit(event: FakeEvent): void;
  get eventSubscribers(): number;
  get connectionCount(): number;
  get pods(): PodSandbox[];
  get containers(): Container[];
  get images(): Image[];
  addImage(image: string | FakeImage): void;
  advanceTime(ms: number): Promise<void>;
  disconnectClients(): void;
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  restart(options?: RestartOptions): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface FakeRuntimeOptions extends BackendScripts {
  flavor?: FakeFlavor | undefined;
  strict?: boolean | undefined;
  endpoint?: string | undefined;
  tls?: ServerTls | undefined;
  images?: readonly (string | FakeImage)[] | undefined;
  registryImages?: readonly FakeImage[] | undefined;
  registry?: RegistryRules | undefined;
  unimplemented?: readonly RpcName[] | undefined;
  implemented?: readonly RpcName[] | "all" | undefined;
  backend?: ContainerBackend | undefined;
  allowRemoteShell?: boolean | undefined;
  streaming?: StreamingProtocols | undefined;
  events?: EventMode | undefined;
  time?: "real" | "virtual" | undefined;
  seed?: string | number | undefined;
  serveCri?: boolean | undefined;
  version?: Partial<VersionResponse> | undefined;
  runtimeHandlers?: readonly string[] | undefined;
  mountpoint?: string | undefined;
  logDirectory?: string | undefined;
  userNamespaces?: boolean | undefined;
  criu?: boolean | undefined;
  streamBatchSize?: number | undefined;
  maxMessageBytes?: number | undefined;
}

type FaultKind = "fail" | "delay" | "hang" | "drop" | "respond" | "oversize" | "slow" | "restart";

interface FaultOptions<N extends RpcName = RpcName> {
  phase?: FaultPhase | undefined;
  times?: number | undefined;
  match?: ((request: RpcRequest<N>) => boolean) | undefined;
}

type FaultPhase = "beforeEffect" | "duringEffect" | "afterEffect";

declare class HostProcessBackend implements ContainerBackend {
  readonly runsOnHost = true;
  create(container: BackendContainer): void;
  start(container: BackendContainer): Promise<ContainerProcess>;
  execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome>;
  exec(container: BackendContainer, command: readonly string[], io: ProgramIo): Promise<number>;
  portForward(_pod: BackendPod, port: number): Promise<Duplex>;
  dispose(): Promise<void>;
}

interface InjectedFault {
  readonly kind: FaultKind;
  readonly phase: FaultPhase;
  readonly origin: "test" | "chaos";
  readonly code?: GrpcErrorCode | undefined;
  readonly ms?: number | undefined;
}

type MetadataValue = string | Uint8Array | readonly (string | Uint8Array)[];

type Method<N extends RpcName> = Extract<
  Methods[keyof Methods],
  {
    name: N;
  }
>;

type Methods = RuntimeServiceDefinition["methods"] & ImageServiceDefinition["methods"];

interface OversizeOptions<N extends RpcName = RpcName> extends ReplyFaultOptions<N> {
  bytes?: number | undefined;
}

interface PendingFault {
  readonly rpc: RpcName | "*";
  readonly kind: FaultKind;
  readonly phase: FaultPhase;
  readonly times: number;
}

interface ProcessUsage {
  readonly cpuNanoseconds: bigint;
  readonly memoryBytes: number;
}

type Program = (io: ProgramIo) => number | Promise<number>;

interface ProgramIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly tty: boolean;
  readonly sizes: AsyncIterable<TerminalSize>;
  readonly signal: AbortSignal;
}

interface RecordedCall<N extends RpcName = RpcName> {
  readonly rpc: N;
  readonly request: RpcRequest<N>;
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  readonly deadline: Date | undefined;
  readonly grpcTimeout: string | undefined;
  readonly connection: number;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly outcome: "OK" | GrpcErrorCode | "DROPPED" | undefined;
  readonly message: string;
  readonly cancelled: boolean;
  readonly messagesSent: number;
  readonly faults: readonly InjectedFault[];
}

type RegistryRule =
  | "missing"
  | "unavailable"
  | {
      username: string;
      password: string;
    };

type RegistryRules = Readonly<Record<string, RegistryRule>>;

type ReplyFaultOptions<N extends RpcName = RpcName> = Omit<FaultOptions<N>, "phase">;

type ReplyScript<N extends RpcName = RpcName> =
  | RpcReply<N>
  | Uint8Array
  | ((reply: RpcReply<N>, request: RpcRequest<N>) => RpcReply<N> | Uint8Array);

interface RestartOptions {
  keepState?: boolean | undefined;
  containers?: "running" | "lost" | "untracked" | undefined;
}

type RpcName = Methods[keyof Methods]["name"];

type RpcReply<N extends RpcName = RpcName> = Parameters<Method<N>["responseType"]["fromPartial"]>[0];

type RpcRequest<N extends RpcName = RpcName> = ReturnType<Method<N>["requestType"]["decode"]>;

declare class ScriptedBackend implements ContainerBackend {
  constructor(scripts?: BackendScripts);
  create(container: BackendContainer): void;
  start(container: BackendContainer): ContainerProcess;
  execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome>;
  exec(container: BackendContainer, command: readonly string[], io: ProgramIo): Promise<number>;
  portForward(pod: BackendPod, port: number): Duplex | undefined | Promise<Duplex | undefined>;
  dispose(): void;
}

interface ServerTls {
  cert: string | Uint8Array;
  key: string | Uint8Array;
  clientCa?: string | Uint8Array | undefined;
}

type SignalResponse = number | "ignore";

interface SlowOptions<N extends RpcName = RpcName> extends ReplyFaultOptions<N> {
  chunkBytes?: number | undefined;
  everyMs?: number | undefined;
}

interface StreamingProtocols {
  spdy?: boolean | undefined;
  websocket?: boolean | undefined;
}

type StreamingRpcName = Extract<
  Methods[keyof Methods],
  {
    responseStream: true;
  }
>["name"];
