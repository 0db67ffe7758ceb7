/**
 * A container runtime for tests: {@link FakeRuntime}, a complete CRI v1 server on a real socket, into which you can inject
 * faults.
 *
 * @module k8s-cri-client/testing
 */

// Containers and their processes

export type { TerminalSize } from "../streaming/transport.js";
export type {
  BackendContainer,
  BackendPod,
  ContainerBackend,
  ContainerEnd,
  ContainerProcess,
  ExecOutcome,
  ProcessUsage,
} from "./backend/backend.js";
export { HostProcessBackend } from "./backend/host-process-backend.js";
export type { Program } from "./backend/program.js";
export type { ProgramIo } from "./backend/program-io.js";
export { type BackendScripts, type ExecAnswer, type ExecScript, ScriptedBackend } from "./backend/scripted-backend.js";
export type { ContainerScript, SignalResponse } from "./backend/scripted-process.js";

// The runtime

export type { RecordedCall } from "./calls.js";
export type { FakeEvent, FakeRuntimeOptions, RestartOptions } from "./fake-options.js";
export { FakeRuntime } from "./fake-runtime.js";

// Faults

export type { Chaos, ChaosFault, ChaosKind, ChaosOptions } from "./faults/chaos.js";
export type {
  FailOptions,
  FaultKind,
  FaultOptions,
  FaultPhase,
  InjectedFault,
  OversizeOptions,
  PendingFault,
  ReplyFaultOptions,
  ReplyScript,
  SlowOptions,
} from "./faults/fault.js";

// The protocol, images and connections

export type { EventMode, FakeFlavor } from "./flavors/profile.js";
export type { RpcName, RpcReply, RpcRequest, StreamingRpcName } from "./rpcs.js";
export type { Clock } from "./state/clock.js";
export type { FakeImage } from "./state/images.js";
export type { RegistryRule, RegistryRules } from "./state/registry.js";
export type { StreamingProtocols } from "./streaming/streaming-server.js";
export type { MetadataValue } from "./wire/framing.js";
export type { ServerTls } from "./wire/server-tls.js";
