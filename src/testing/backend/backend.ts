import type { ContainerConfig, PodSandboxConfig } from "../../proto.js";

/** What a backend is told about a container. */
export interface BackendContainer {
  readonly id: string;
  readonly podId: string;
  /** The command to run: the container's own, or the image's where it has none. */
  readonly command: readonly string[];
  /** The name of the image. */
  readonly image: string;
  readonly config: ContainerConfig;
  readonly podConfig: PodSandboxConfig;
  /** Where the log belongs, or an empty string. */
  readonly logPath: string;
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
}

/** What a command left behind. */
export interface ExecOutcome {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/**
 * What containers are made of. The runtime keeps states, names and times; a backend only runs things. The default one plays
 * scripts ({@link ScriptedBackend}).
 */
export interface ContainerBackend {
  /** Starts a container. A throw becomes the failure of StartContainer, and the container's `StartError`. */
  start(container: BackendContainer): ContainerProcess | Promise<ContainerProcess>;
  /** Runs a command inside. When the signal aborts, the command is to be killed and the call to reject. */
  execSync(container: BackendContainer, command: readonly string[], signal: AbortSignal): Promise<ExecOutcome>;
  /** Lets go of everything; the runtime has stopped for good. */
  dispose?(): void | Promise<void>;
}
