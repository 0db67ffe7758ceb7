import type { Duplex, Readable, Writable } from "node:stream";
import type { ContainerConfig, PodSandboxConfig } from "../../proto.js";
import type { TerminalSize } from "../../streaming/transport.js";
import type { Clock } from "../state/clock.js";
import type { ProgramIo } from "./program-io.js";

/** Describes a container for a backend. */
export interface BackendContainer {
  readonly id: string;
  readonly podId: string;
  /** The command to run: the container's, or the image's if it has none. */
  readonly command: readonly string[];
  /** The name of the image. */
  readonly image: string;
  /** The image's environment variables, which those of {@link config} override. */
  readonly imageEnv: Readonly<Record<string, string>>;
  readonly config: ContainerConfig;
  readonly podConfig: PodSandboxConfig;
  /** The path of the log, or an empty string if the container has none. */
  readonly logPath: string;
  /** The runtime's clock. With virtual time, its timers wait for {@link FakeRuntime.advanceTime}. */
  readonly clock: Clock;
}

/** Describes a pod sandbox for a backend. */
export interface BackendPod {
  readonly id: string;
  readonly config: PodSandboxConfig;
}

/** How a container ended. */
export interface ContainerEnd {
  readonly exitCode: number;
  /** @defaultValue `Completed` for exit code 0, otherwise `Error` */
  readonly reason?: string | undefined;
}

/** The main process of a container. */
export interface ContainerProcess {
  readonly pid: number;
  /** Resolves when the process has ended. Never rejects. */
  readonly ended: Promise<ContainerEnd>;
  /** Sends a signal, such as `SIGTERM`. `SIGKILL` must always end the process. */
  signal(name: string): void;
  /** Receives the input of attached clients. */
  readonly stdin?: Writable | undefined;
  /** The output, for the log and for attached clients. The runtime always reads it. */
  readonly stdout?: Readable | undefined;
  /** Undefined with a terminal. */
  readonly stderr?: Readable | undefined;
  /** Receives the size of an attached client's terminal. */
  resize?(size: TerminalSize): void;
  /** Returns the usage so far, for the statistics. Without this method, the runtime reports simulated figures. */
  usage?(): ProcessUsage | undefined;
}

/** The resources that a container has used. */
export interface ProcessUsage {
  /** CPU time since the start, in nanoseconds. */
  readonly cpuNanoseconds: bigint;
  /** Memory in use, in bytes. */
  readonly memoryBytes: number;
}

/** The result of a command. */
export interface ExecOutcome {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/**
 * Runs the containers and commands of a fake runtime. The runtime keeps states, names, times and logs. The default backend runs
 * scripts ({@link ScriptedBackend}).
 */
export interface ContainerBackend {
  /**
   * Whether commands run on this machine, without isolation. The runtime then listens only where no other machine can connect,
   * unless `allowRemoteShell` is set. @defaultValue false
   */
  readonly runsOnHost?: boolean | undefined;
  /**
   * Called when a container is created, on flavours that check its program at creation (CRI-O). If it throws, CreateContainer
   * fails with the error.
   */
  create?(container: BackendContainer): void | Promise<void>;
  /** Starts a container. If it throws, StartContainer fails with the error, and the container ends with `StartError`. */
  start(container: BackendContainer): ContainerProcess | Promise<ContainerProcess>;
  /** Runs a command in a container. When the signal aborts, it must kill the command and reject. */
  execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome>;
  /**
   * Runs a command for a connected client. Resolves with the exit code of the command. The runtime reports a rejection to the
   * client. Without this method, sessions use {@link execSync} and send all output at the end.
   */
  exec?(container: BackendContainer, command: readonly string[], io: ProgramIo): Promise<number>;
  /** Connects to a port of a pod. If it rejects or returns undefined, no process listens on the port. */
  portForward?(pod: BackendPod, port: number): Duplex | undefined | Promise<Duplex | undefined>;
  /** Releases all resources. Called when the runtime stops. */
  dispose?(): void | Promise<void>;
}
