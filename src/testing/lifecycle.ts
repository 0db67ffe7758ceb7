import { mkdirSync } from "node:fs";
import { posix } from "node:path";
import { ServerError } from "nice-grpc-common";
import { linkAbort } from "../internal/abort.js";
import { errorMessage } from "../internal/error-message.js";
import { ContainerEventType, ContainerState, NamespaceMode, PodSandboxState, Signal } from "../proto.js";
import { logDirectoryName } from "../specs/pod-config.js";
import type { BackendContainer, ContainerBackend, ContainerEnd } from "./backend/backend.js";
import { ProgramError } from "./backend/program-error.js";
import type { FlavorProfile } from "./flavors/profile.js";
import { goZeroTime } from "./flavors/profile.js";
import { type HandlerContext, rpcError } from "./handlers.js";
import { ContainerOutput } from "./output/container-output.js";
import { LogFile } from "./output/log-file.js";
import { startRefusal } from "./refusals/start-refusals.js";
import { toLong } from "./state/clock.js";
import { type ContainerRecord, lacksLogDirectory } from "./state/containers.js";
import { type PodRecord, toPodStatus } from "./state/pods.js";
import type { RuntimeState } from "./state/runtime-state.js";

/** How long CRI-O waits for processes to end if the call has no deadline. */
const defaultRemovalGraceMs = 10_000;

type RemovalContext = Pick<HandlerContext, "signal" | "deadline">;

/** Moves containers and sandboxes from one state to the next, and emits the events. */
export class Lifecycle {
  constructor(
    readonly state: RuntimeState,
    readonly backend: ContainerBackend,
    readonly flavor: FlavorProfile,
    /** Whether to reject requests with settings that the real runtime rejects. */
    readonly strict: boolean,
    /** Where to write logs of containers whose pod has no log directory. */
    private readonly logDirectory: string | undefined,
  ) {}

  /**
   * Returns the log directory that the runtime gives to a pod without a log directory. Creates it only if the test set
   * `logDirectory`.
   */
  ownLogDirectory({ id }: PodRecord): string {
    const { ownLogDirectory } = this.flavor;
    if (ownLogDirectory === undefined) return "";
    const directory = posix.join(this.logDirectory ?? ownLogDirectory, id);
    if (this.logDirectory !== undefined) mkdirSync(directory, { recursive: true });
    return directory;
  }

  /**
   * Creates the log directory of a pod if its name is the one that a kubelet gives it, and the folder above it exists. Does not
   * create other directories, because many tests name log directories that should not be created.
   */
  createLogDirectory({ config: { logDirectory }, metadata }: PodRecord): void {
    if (!posix.isAbsolute(logDirectory) || posix.basename(logDirectory) !== logDirectoryName(metadata)) return;
    try {
      mkdirSync(logDirectory, { mode: 0o755 });
    } catch {
      // The directory exists, or the folder above it does not exist.
    }
  }

  async startContainer(container: ContainerRecord): Promise<void> {
    const { alreadyStarted } = this.flavor.errors;
    if (container.state !== ContainerState.CONTAINER_CREATED && alreadyStarted) throw alreadyStarted(container);
    if (container.state === ContainerState.CONTAINER_RUNNING) return;
    if (container.starting) {
      const context = `failed to set starting state for container "${container.id}"`;
      throw rpcError("UNKNOWN", `${context}: container is already in starting state`);
    }
    if (this.strict && this.flavor.missingLogDirectory === "failsStart" && lacksLogDirectory(container, true))
      throw this.#noLogLink(container);
    container.starting = true;
    try {
      if (!this.#canStartIn(container.pod)) throw this.#podNotRunning(container);
      const refusal = this.strict ? startRefusal(container, this.flavor) : undefined;
      if (refusal) throw refusal;
      container.process = await this.backend.start(this.describe(container));
    } catch (error) {
      const failure = this.#startFailure(container, error);
      this.#finish(container, this.flavor.startFailure, failure.details);
      this.#openLog(container)?.close();
      throw failure;
    } finally {
      container.starting = false;
    }
    // If the sandbox was stopped while the backend started the container, the container stops, too, except on Docker.
    if (!this.#canStartIn(container.pod) && this.flavor.podStop !== "leavesContainers")
      container.process.signal("SIGKILL");
    container.startedAt = this.state.clock.now();
    container.state = ContainerState.CONTAINER_RUNNING;
    Object.assign(container, { exitCode: 0, reason: "", message: "" });
    this.#announce(container, ContainerEventType.CONTAINER_STARTED_EVENT);
    const output = new ContainerOutput(container.process, this.#openLog(container));
    container.output = output;
    container.ended = container.process.ended.then(async (end) => {
      await output.end();
      if (container.process === undefined) return;
      this.#finish(container, end, "");
      if (this.state.containers.has(container)) this.#announce(container, ContainerEventType.CONTAINER_STOPPED_EVENT);
    });
  }

  /** Prepares a created container, on runtimes that check its program at creation. */
  async prepare(container: ContainerRecord): Promise<void> {
    try {
      await this.backend.create?.(this.describe(container));
    } catch (error) {
      throw this.#startFailure(container, error);
    }
  }

  #startFailure({ id }: ContainerRecord, error: unknown): ServerError {
    if (error instanceof ServerError) return error;
    const message = errorMessage(error);
    return error instanceof ProgramError ? this.flavor.errors.start(id, message) : rpcError("UNKNOWN", message);
  }

  #noLogLink({ id, logPath }: ContainerRecord): ServerError {
    const file = `/var/lib/docker/containers/${id}/${id}-json.log`;
    const context = `failed to create symbolic link "${logPath}" to the container log file "${file}" for container "${id}"`;
    return rpcError("UNKNOWN", `${context}: symlink ${file} ${logPath}: no such file or directory`);
  }

  #openLog({ logDirectory, logPath, pod }: ContainerRecord): LogFile | undefined {
    if (this.flavor.missingLogDirectory === "created") this.createLogDirectory(pod);
    return LogFile.open(logDirectory, logPath, this.state.clock, this.flavor.logFormat);
  }

  /**
   * Returns whether a container can start in a pod. The pod must be ready; on Docker, it may also be stopped if it uses the
   * node's network.
   */
  #canStartIn({ state, config }: PodRecord): boolean {
    if (state === PodSandboxState.SANDBOX_READY) return true;
    const network = config.linux?.securityContext?.namespaceOptions?.network;
    return this.flavor.family === "docker" && network === NamespaceMode.NODE;
  }

  #podNotRunning({ id, pod }: ContainerRecord): ServerError {
    if (this.flavor.family !== "docker") return rpcError("UNKNOWN", `sandbox container "${pod.id}" is not running`);
    const reason = `cannot join network of a non running container: ${pod.id}`;
    return rpcError("UNKNOWN", `failed to start container "${id}": Error response from daemon: ${reason}`);
  }

  /** Sends the stop signal to a container, and kills it after the grace period. */
  async stopContainer(container: ContainerRecord, graceMs: number, signal?: AbortSignal): Promise<void> {
    const { process, ended } = container;
    if (container.state !== ContainerState.CONTAINER_RUNNING || !process || !ended) return;
    if (graceMs > 0) {
      process.signal(stopSignalOf(container, this.flavor));
      await this.#waitForEnd(ended, graceMs, signal);
    }
    process.signal("SIGKILL");
    await ended;
  }

  async removeContainer(container: ContainerRecord, context: RemovalContext): Promise<void> {
    if (container.starting) {
      const context = `failed to set removing state for container "${container.id}"`;
      throw rpcError("UNKNOWN", `${context}: container is in starting state, can't be removed`);
    }
    await this.stopContainer(container, this.#removalGraceMs(context), context.signal);
    if (!this.state.containers.has(container)) return;
    this.state.containers.delete(container);
    this.state.containerNames.release(container.name);
    if (!this.flavor.logOutlivesContainer) container.output?.removeLog();
    this.#announce(container, ContainerEventType.CONTAINER_DELETED_EVENT);
  }

  async stopPod(pod: PodRecord, context: RemovalContext): Promise<void> {
    const graceMs = this.#removalGraceMs(context);
    const leaves = this.flavor.podStop === "leavesContainers";
    const containers = leaves ? [] : this.state.containers.ofPod(pod);
    await Promise.all(containers.map((container) => this.stopContainer(container, graceMs, context.signal)));
    if (pod.state === PodSandboxState.SANDBOX_NOTREADY) return;
    pod.state = PodSandboxState.SANDBOX_NOTREADY;
    this.announcePod(pod, ContainerEventType.CONTAINER_STOPPED_EVENT);
  }

  async removePod(pod: PodRecord, context: RemovalContext): Promise<void> {
    await this.stopPod(pod, context);
    await Promise.all(this.state.containers.ofPod(pod).map((container) => this.removeContainer(container, context)));
    if (!this.state.pods.has(pod)) return;
    this.state.pods.delete(pod);
    this.state.podNames.release(pod.name);
    this.announcePod(pod, ContainerEventType.CONTAINER_DELETED_EVENT);
  }

  /** Describes a container for a backend. */
  describe(container: ContainerRecord): BackendContainer {
    return {
      id: container.id,
      podId: container.pod.id,
      command: container.command,
      image: container.config.image?.image ?? "",
      imageEnv: container.image.env,
      config: container.config,
      podConfig: container.pod.config,
      logPath: container.logPath,
      clock: this.state.clock,
    };
  }

  announceCreated(container: ContainerRecord): void {
    this.#announce(container, ContainerEventType.CONTAINER_CREATED_EVENT);
  }

  announcePod(pod: PodRecord, type: ContainerEventType): void {
    this.#emit(pod.id, pod, type);
  }

  /** Simulates a restart of the node: all containers have exited, for an unknown reason. */
  loseProcesses(): void {
    for (const container of this.state.containers.all) {
      if (container.state !== ContainerState.CONTAINER_RUNNING) continue;
      this.#finish(container, { exitCode: 255, reason: "Unknown" }, "");
      container.process?.signal("SIGKILL");
    }
    for (const pod of this.state.pods.all) pod.state = PodSandboxState.SANDBOX_NOTREADY;
  }

  /** Kills all containers, while the runtime continues to report them as running. */
  untrackProcesses(): void {
    for (const container of this.state.containers.all) {
      const { process } = container;
      container.process = undefined;
      container.ended = undefined;
      process?.signal("SIGKILL");
    }
  }

  /** Kills all containers without events. */
  killAll(): void {
    for (const container of this.state.containers.all) container.process?.signal("SIGKILL");
  }

  /** CRI-O's grace period is the remaining time of the call in whole seconds, minus one second for the pod itself. */
  #removalGraceMs({ deadline }: RemovalContext): number {
    if (this.flavor.podStop !== "waitsForDeadline") return 0;
    if (!deadline) return defaultRemovalGraceMs;
    return Math.max(0, Math.floor((deadline.getTime() - Date.now()) / 1_000) - 1) * 1_000;
  }

  #finish(container: ContainerRecord, end: ContainerEnd, message: string): void {
    if (container.state === ContainerState.CONTAINER_EXITED) return;
    container.state = ContainerState.CONTAINER_EXITED;
    container.finishedAt = this.state.clock.now();
    container.exitCode = end.exitCode;
    container.reason = end.reason ?? (end.exitCode === 0 ? "Completed" : "Error");
    container.message = message;
  }

  #announce(container: ContainerRecord, type: ContainerEventType): void {
    this.#emit(container.id, container.pod, type);
  }

  #emit(id: string, pod: PodRecord, type: ContainerEventType): void {
    const { clock, containers, events, pods } = this.state;
    const known = pods.has(pod);
    const status = known
      ? { podSandboxStatus: toPodStatus(pod) }
      : this.flavor.name === "containerd-2"
        ? { podSandboxStatus: { ...toPodStatus(pod), createdAt: toLong(goZeroTime) } }
        : {};
    events.emit({
      containerId: id,
      containerEventType: type,
      createdAt: toLong(clock.now()),
      ...status,
      containersStatuses: known ? containers.ofPod(pod).map((container) => containers.toStatus(container)) : [],
    });
  }

  /** Waits for a container to end, up to a time limit. Rejects when the signal aborts. */
  async #waitForEnd(ended: Promise<void>, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const link = linkAbort(signal);
    try {
      await Promise.race([ended, this.state.clock.sleep(ms, link.signal)]);
    } finally {
      link.unlink();
      link.abort(undefined);
    }
  }
}

/** Returns the stop signal of the container, or of its image. Runtimes older than Kubernetes 1.33 use only the image's signal. */
function stopSignalOf({ config, image }: ContainerRecord, flavor: FlavorProfile): string {
  const hasOwn = flavor.family === "cri-o" && config.stopSignal !== Signal.SIGNAL_RUNTIME_DEFAULT;
  return hasOwn ? Signal[config.stopSignal].replace("SIGNAL_", "") : (image.stopSignal ?? "SIGTERM");
}
