import { mkdirSync } from "node:fs";
import { posix } from "node:path";
import { ServerError } from "nice-grpc-common";
import { linkAbort } from "../internal/abort.js";
import { ContainerEventType, ContainerState, NamespaceMode, PodSandboxState, Signal } from "../proto.js";
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

/** How long CRI-O waits for processes to end where a call has no deadline. */
const defaultRemovalGraceMs = 10_000;

/** What a removal needs to know about the call that asks for it. */
type RemovalContext = Pick<HandlerContext, "signal" | "deadline">;

/** How containers and sandboxes get from one state to the next, and who is told. */
export class Lifecycle {
  constructor(
    readonly state: RuntimeState,
    readonly backend: ContainerBackend,
    readonly flavor: FlavorProfile,
    /** Whether to refuse what the real runtime refuses for what is in a request. */
    readonly strict: boolean,
    /** Where to write logs of containers whose pod has no log directory. */
    private readonly logDirectory: string | undefined,
  ) {}

  /** The log directory of a pod that has none, if the runtime gives it one. It exists only if the test has a place for it. */
  ownLogDirectory({ id }: PodRecord): string {
    const { ownLogDirectory } = this.flavor;
    if (ownLogDirectory === undefined) return "";
    const directory = posix.join(this.logDirectory ?? ownLogDirectory, id);
    if (this.logDirectory !== undefined) mkdirSync(directory, { recursive: true });
    return directory;
  }

  async startContainer(container: ContainerRecord): Promise<void> {
    const { startedBefore } = this.flavor.errors;
    if (container.state !== ContainerState.CONTAINER_CREATED && startedBefore) throw startedBefore(container);
    if (container.state === ContainerState.CONTAINER_RUNNING) return;
    if (container.starting) {
      const context = `failed to set starting state for container "${container.id}"`;
      throw rpcError("UNKNOWN", `${context}: container is already in starting state`);
    }
    if (this.strict && this.flavor.missingLogDirectory === "failsStart" && lacksLogDirectory(container, true))
      throw this.#noLogLink(container);
    container.starting = true;
    try {
      if (!this.#canHold(container.pod)) throw this.#podNotRunning(container);
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
    // While a backend takes its time, the sandbox may have been stopped: what has started then is stopped as well, except on Docker.
    if (!this.#canHold(container.pod) && this.flavor.podStop !== "leavesContainers")
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

  /** What a runtime does when it creates a container, if it looks at the program then. */
  async prepare(container: ContainerRecord): Promise<void> {
    try {
      await this.backend.create?.(this.describe(container));
    } catch (error) {
      throw this.#startFailure(container, error);
    }
  }

  #startFailure({ id }: ContainerRecord, error: unknown): ServerError {
    if (error instanceof ServerError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return error instanceof ProgramError ? this.flavor.errors.start(id, message) : rpcError("UNKNOWN", message);
  }

  #noLogLink({ id, logPath }: ContainerRecord): ServerError {
    const file = `/var/lib/docker/containers/${id}/${id}-json.log`;
    const context = `failed to create symbolic link "${logPath}" to the container log file "${file}" for container "${id}"`;
    return rpcError("UNKNOWN", `${context}: symlink ${file} ${logPath}: no such file or directory`);
  }

  #openLog({ logDirectory, logPath }: ContainerRecord): LogFile | undefined {
    return LogFile.open(logDirectory, logPath, this.state.clock, this.flavor.logFormat);
  }

  /** Whether a container can start in a pod: in one that is ready, and on Docker in a stopped one with the network of the node. */
  #canHold({ state, config }: PodRecord): boolean {
    if (state === PodSandboxState.SANDBOX_READY) return true;
    const network = config.linux?.securityContext?.namespaceOptions?.network;
    return this.flavor.family === "docker" && network === NamespaceMode.NODE;
  }

  #podNotRunning({ id, pod }: ContainerRecord): ServerError {
    if (this.flavor.family !== "docker") return rpcError("UNKNOWN", `sandbox container "${pod.id}" is not running`);
    const reason = `cannot join network of a non running container: ${pod.id}`;
    return rpcError("UNKNOWN", `failed to start container "${id}": Error response from daemon: ${reason}`);
  }

  /** Asks a container to end and makes it end when the grace period is over. */
  async stopContainer(container: ContainerRecord, graceMs: number, signal?: AbortSignal): Promise<void> {
    const { process, ended } = container;
    if (container.state !== ContainerState.CONTAINER_RUNNING || !process || !ended) return;
    if (graceMs > 0) {
      process.signal(stopSignalOf(container, this.flavor));
      await this.#within(ended, graceMs, signal);
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

  /** What a backend is told about a container. */
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

  /** The node went down and came back: nothing runs any more, and nobody knows how it ended. */
  loseProcesses(): void {
    for (const container of this.state.containers.all) {
      if (container.state !== ContainerState.CONTAINER_RUNNING) continue;
      this.#finish(container, { exitCode: 255, reason: "Unknown" }, "");
      container.process?.signal("SIGKILL");
    }
    for (const pod of this.state.pods.all) pod.state = PodSandboxState.SANDBOX_NOTREADY;
  }

  /** Everything that runs ends, and the runtime goes on reporting it as running. */
  loseTrack(): void {
    for (const container of this.state.containers.all) {
      const { process } = container;
      container.process = undefined;
      container.ended = undefined;
      process?.signal("SIGKILL");
    }
  }

  /** Ends everything that runs without telling anybody. */
  killAll(): void {
    for (const container of this.state.containers.all) container.process?.signal("SIGKILL");
  }

  /** CRI-O's grace period is what is left of the deadline, in whole seconds, less one for the pod itself. */
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

  /** Waits for an end, at most so long; rejects when the signal aborts. */
  async #within(ended: Promise<void>, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const link = linkAbort(signal);
    try {
      await Promise.race([ended, this.state.clock.sleep(ms, link.signal)]);
    } finally {
      link.unlink();
      link.abort(undefined);
    }
  }
}

/** Runtimes that are older than Kubernetes 1.33 know of the image's only. */
function stopSignalOf({ config, image }: ContainerRecord, flavor: FlavorProfile): string {
  const hasOwn = flavor.family === "cri-o" && config.stopSignal !== Signal.SIGNAL_RUNTIME_DEFAULT;
  return hasOwn ? Signal[config.stopSignal].replace("SIGNAL_", "") : (image.stopSignal ?? "SIGTERM");
}
