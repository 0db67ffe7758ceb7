import type { Duplex, Readable, Writable } from "node:stream";
import type { ContainerConfig, PodSandboxConfig } from "../../proto.js";
import type { TerminalSize } from "../../streaming/transport.js";
import type { Clock } from "../state/clock.js";
import type { ProgramIo } from "./program-io.js";

/** What a backend is told about a container. */
export interface BackendContainer {
  readonly id: string;
  readonly podId: string;
  /** The command to run: the container's own, or the image's where it has none. */
  readonly command: readonly string[];
  /** The name of the image. */
  readonly image: string;
  /** The image's environment variables, which those of {@link config} override. */
  readonly imageEnv: Readonly<Record<string, string>>;
  readonly config: ContainerConfig;
  readonly podConfig: PodSandboxConfig;
  /** Where the log belongs, or an empty string. */
  readonly logPath: string;
  /** The runtime's time. Who waits by it waits for {@link FakeRuntime.advanceTime} where time is virtual. */
  readonly clock: Clock;
}

/** What a backend is told about a pod sandbox. */
export interface BackendPod {
  readonly id: string;
  readonly config: PodSandboxConfig;
}

/** How a container ended. */
export interface ContainerEnd {
  readonly exitCode: number;
  /** @defaultValue `Completed` for 0, else `Error` */
  readonly reason?: string | undefined;
}

/** A container at work. */
export interface ContainerProcess {
  readonly pid: number;
  /** Settles once, when it has ended. Never rejects. */
  readonly ended: Promise<ContainerEnd>;
  /** Sends a signal, such as `SIGTERM`. `SIGKILL` ends it, always. */
  signal(name: string): void;
  /** What attached clients write to. */
  readonly stdin?: Writable | undefined;
  /** The output, for the log and for attached clients. It is read at all times. */
  readonly stdout?: Readable | undefined;
  /** With a terminal there is none. */
  readonly stderr?: Readable | undefined;
  /** Takes the size of an attached client's terminal. */
  resize?(size: TerminalSize): void;
  /** What it has used so far, for the statistics; without it they are made up. */
  usage?(): ProcessUsage | undefined;
}

/** What a container has used. */
export interface ProcessUsage {
  /** Processor time in nanoseconds, since it began. */
  readonly cpuNanoseconds: bigint;
  /** Memory in use. */
  readonly memoryBytes: number;
}

/** What a command left behind. */
export interface ExecOutcome {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/**
 * What containers are made of. The runtime keeps states, names, times and logs; a backend only runs things. The default one plays
 * scripts ({@link ScriptedBackend}).
 */
export interface ContainerBackend {
  /**
   * Whether commands run on this machine, without isolation. The runtime then listens where only this machine can connect, unless
   * `allowRemoteShell` permits more. @defaultValue false
   */
  readonly runsOnHost?: boolean | undefined;
  /**
   * Called when a container is created, on flavours that check its program then: CRI-O. A throw becomes the failure of CreateContainer.
   */
  create?(container: BackendContainer): void | Promise<void>;
  /** Starts a container. A throw becomes the failure of StartContainer, and the container's `StartError`. */
  start(container: BackendContainer): ContainerProcess | Promise<ContainerProcess>;
  /** Runs a command inside. When the signal aborts, the command is to be killed and the call to reject. */
  execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome>;
  /**
   * Runs a command for a client that is connected, and resolves with its exit code; a rejection is told to the client.
   * Without this method, {@link execSync} answers with all of the output at the end.
   */
  exec?(container: BackendContainer, command: readonly string[], io: ProgramIo): Promise<number>;
  /** Connects to a port of a pod. A rejection, or nothing, means that nobody listens there. */
  portForward?(pod: BackendPod, port: number): Duplex | undefined | Promise<Duplex | undefined>;
  /** Lets go of everything; the runtime has stopped for good. */
  dispose?(): void | Promise<void>;
}
