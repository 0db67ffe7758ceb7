import type { CallOptions } from "../options.js";
import type { ContainerConfig, ContainerStats, ContainerStatus, PodSandboxConfig } from "../proto.js";
import type { AttachSession, ExecSession } from "../streaming/session.js";
import type { CheckpointOptions, ContainerInspection, ContainerResourcesUpdate, StopOptions } from "./containers.js";
import type { CopyOptions } from "./copy.js";
import type { Core } from "./core.js";
import type { ExecOutputOptions } from "./exec-output.js";
import type { ExecResult, ExecSyncOptions } from "./exec-sync.js";
import { disposeTimeoutMs, Ownership } from "./ownership.js";
import type { RestartOptions } from "./restart.js";
import type { AttachOptions, ExecOptions } from "./sessions.js";
import type { ContainerExit } from "./wait.js";

/**
 * A container by its id. The handle keeps no state: every method asks the runtime. Made by `cri.containers.get(id)` without
 * I/O, so a wrong id shows on the first call.
 */
export class Container {
  readonly kind = "container";
  /** The container id. */
  readonly id: string;
  /** @internal */
  declare protected readonly core: Core;

  /** @internal */
  constructor(core: Core, id: string) {
    this.id = id;
    // Kept out of util.inspect and JSON: the client's options are in there, credentials included.
    Object.defineProperty(this, "core", { value: core, enumerable: false });
  }

  /** StartContainer. A lost answer is settled by a look at the container's state. */
  start(options?: CallOptions): Promise<void> {
    return this.core.containers.start(this, options);
  }

  /** StopContainer: the stop signal, then SIGKILL when the grace period is over. Succeeds on a stopped or missing container. */
  stop(options?: StopOptions): Promise<void> {
    return this.core.containers.stop(this, options);
  }

  /** RemoveContainer: removes the container, a running one by force. Succeeds on a missing container. */
  remove(options?: CallOptions): Promise<void> {
    return this.core.containers.remove(this, options);
  }

  /** ContainerStatus: state, exit code, times, image, mounts. Throws `NOT_FOUND` once the container is removed. */
  status(options?: CallOptions): Promise<ContainerStatus> {
    return this.core.containers.status(this, options);
  }

  /** ContainerStatus with the runtime's own diagnostics, as `crictl inspect` shows them. */
  inspect(options?: CallOptions): Promise<ContainerInspection> {
    return this.core.containers.inspect(this, options);
  }

  /** ContainerStats: CPU, memory, swap and writable layer. */
  stats(options?: CallOptions): Promise<ContainerStats> {
    return this.core.stats.container(this, options);
  }

  /** Waits until the container has exited. Without `timeoutMs` or `signal` it waits for ever. */
  wait(options?: CallOptions): Promise<ContainerExit> {
    return this.core.containers.wait(this, options);
  }

  /** ExecSync: runs a command to its end and returns its exit code and output (up to 16 MiB each). */
  execSync(
    command: readonly string[],
    options: ExecSyncOptions & { encoding: "buffer" },
  ): Promise<ExecResult<Uint8Array>>;
  execSync(
    command: readonly string[],
    options?: ExecSyncOptions & { encoding?: "utf8" | undefined },
  ): Promise<ExecResult>;
  execSync(command: readonly string[], options?: ExecSyncOptions): Promise<ExecResult | ExecResult<Uint8Array>>;
  execSync(command: readonly string[], options?: ExecSyncOptions): Promise<ExecResult | ExecResult<Uint8Array>> {
    return this.core.containers.execSync(this, command, options);
  }

  /** Exec: runs a command with streams, a terminal if wanted, and the exit code. See `cri.containers.exec`. */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecSession> {
    return this.core.containers.exec(this, command, options);
  }

  /** Exec run to its end, with input and outputs of any size. See `cri.containers.execOutput`. */
  execOutput(
    command: readonly string[],
    options: ExecOutputOptions & { encoding: "buffer" },
  ): Promise<ExecResult<Uint8Array>>;
  execOutput(
    command: readonly string[],
    options?: ExecOutputOptions & { encoding?: "utf8" | undefined },
  ): Promise<ExecResult>;
  execOutput(command: readonly string[], options?: ExecOutputOptions): Promise<ExecResult | ExecResult<Uint8Array>>;
  execOutput(command: readonly string[], options?: ExecOutputOptions): Promise<ExecResult | ExecResult<Uint8Array>> {
    return this.core.containers.execOutput(this, command, options);
  }

  /** Attach: connects to the streams of the container's main process, from now on. See `cri.containers.attach`. */
  attach(options?: AttachOptions): Promise<AttachSession> {
    return this.core.containers.attach(this, options);
  }

  /** Copies a file or folder into the container. See `cri.containers.copyTo`. */
  copyTo(localPath: string, containerPath: string, options?: CopyOptions): Promise<void> {
    return this.core.containers.copyTo(this, localPath, containerPath, options);
  }

  /** Copies a file or folder out of the container. See `cri.containers.copyFrom`. */
  copyFrom(containerPath: string, localPath: string, options?: CopyOptions): Promise<void> {
    return this.core.containers.copyFrom(this, containerPath, localPath, options);
  }

  /**
   * Restarts as a kubelet does: CRI cannot start a container twice, so a new one is created from the same configuration with
   * the next attempt number, and started. This handle stays with the old container.
   */
  restart(options?: RestartOptions): Promise<OwnedContainer> {
    return this.core.containers.restart(this, options);
  }

  /** UpdateContainerResources of a created or running container. What is left out stays as it is. */
  updateResources(update: ContainerResourcesUpdate, options?: CallOptions): Promise<void> {
    return this.core.containers.updateResources(this, update, options);
  }

  /** CheckpointContainer, since Kubernetes 1.25: writes the container's state to an archive. Needs CRIU on the node. */
  checkpoint(options: CheckpointOptions): Promise<void> {
    return this.core.containers.checkpoint(this, options);
  }

  /** ReopenContainerLog, after the log file was renamed: the runtime goes on in a new file. Only for a running container. */
  reopenLog(options?: CallOptions): Promise<void> {
    return this.core.containers.reopenLog(this, options);
  }
}

/**
 * A container that this program made: disposing of it stops and removes it.
 *
 * ```ts
 * await using web = await cri.runContainerInSandbox(pod, { name: "web", image: "docker.io/library/nginx:1.29" });
 * ```
 */
export class OwnedContainer extends Container implements AsyncDisposable {
  /** The configuration as it was sent. Its `envs` may hold secrets. */
  declare readonly config: ContainerConfig;
  /** The configuration of its pod, which CreateContainer had to repeat. */
  declare readonly podConfig: PodSandboxConfig;
  /** The pod sandbox that the container is in. */
  readonly podSandboxId: string;
  /** Something else had made the container, and it was taken over with `adopt`. */
  readonly adopted: boolean;
  readonly #ownership = new Ownership();
  /** From the spec of the container or its pod: how long {@link stop} and disposal let the process end by itself. */
  readonly terminationGracePeriodSeconds: number | undefined;

  /** @internal */
  constructor(
    core: Core,
    id: string,
    made: {
      podSandboxId: string;
      podConfig: PodSandboxConfig;
      config: ContainerConfig;
      terminationGracePeriodSeconds: number | undefined;
      adopted: boolean;
    },
  ) {
    super(core, id);
    // Kept out of util.inspect and JSON: the environment is in there.
    Object.defineProperty(this, "config", { value: made.config, enumerable: false });
    Object.defineProperty(this, "podConfig", { value: made.podConfig, enumerable: false });
    this.podSandboxId = made.podSandboxId;
    this.adopted = made.adopted;
    this.terminationGracePeriodSeconds = made.terminationGracePeriodSeconds;
  }

  /** Lets the container live on: disposal does nothing any more. Returns a borrowed handle. */
  release(): Container {
    this.#ownership.release();
    return new Container(this.core, this.id);
  }

  /**
   * Stops the container, with the grace period of its spec if one is set there and at once otherwise, and removes it; once, and
   * within a minute of its own beyond that. A container that is gone already is no error; any other failure rejects.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#ownership.dispose(async () => {
      const gracePeriodSeconds = this.terminationGracePeriodSeconds ?? 0;
      await this.stop({ gracePeriodSeconds, timeoutMs: disposeTimeoutMs + 1_000 * gracePeriodSeconds });
      await this.remove({ timeoutMs: disposeTimeoutMs });
    });
  }
}
