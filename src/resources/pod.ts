import { checkOptions } from "../input/call-options.js";
import type { LogStream } from "../logs/log-stream.js";
import type { CallOptions } from "../options.js";
import type { Container, PodSandboxConfig, PodSandboxStats, PodSandboxStatus } from "../proto.js";
import { callOptionsOf, pinDeadline, startBudget } from "../rpcs/budget.js";
import { podSandboxStatus } from "../rpcs/pods.js";
import { podSandboxStats } from "../rpcs/stats.js";
import { portForwardUrl } from "../rpcs/stream-urls.js";
import { checkpointPod, type PodCheckpointOptions } from "./checkpoint.js";
import { OwnedContainer } from "./container.js";
import type { PodContainerFilter } from "./container-filter.js";
import type { ClientContext } from "./context.js";
import { cleanUpOptions } from "./creation/clean-up.js";
import { type CreateContainerOptions, createContainer } from "./creation/create-container.js";
import type { MadePod } from "./creation/made.js";
import type { ContainerInput } from "./creation/message-input.js";
import { disposeTimeoutMs, Ownership } from "./creation/ownership.js";
import { runContainer } from "./creation/run-container.js";
import { listContainersOfPod } from "./filtered-list.js";
import { gracePeriodIn, optionalSeconds, wholeSeconds } from "./grace-period.js";
import { PodInspection } from "./inspection.js";
import { removeLogDirectory } from "./log-folder.js";
import type { MergedLogBytesEntry, MergedLogEntry } from "./logs/merged-log-entry.js";
import { type PodLogOptions, podLogFields } from "./logs/merged-log-options.js";
import { mergedLogs } from "./logs/merged-logs.js";
import { type PodStateName, podStateName } from "./pod-filter.js";
import { checkPorts, type PortForward, type PortForwardOptions, portForward } from "./sessions/port-forward.js";
import {
  type RemoveOptions,
  removeFields,
  removePod,
  type StopPodOptions,
  stopPod,
  stopPodFields,
} from "./stopping.js";
import { type PodResourcesUpdate, updatePod } from "./update-resources.js";

/**
 * A pod sandbox, named by its id. The handle keeps no state: every method calls the runtime. `cri.pods.get(id)` does no I/O, so a
 * wrong id fails on the first call.
 */
export class PodSandbox {
  readonly kind = "pod";
  /** The pod sandbox id. */
  readonly id: string;
  // Private, because it contains the options of the client, credentials included.
  readonly #context: ClientContext;

  /** @internal */
  constructor(context: ClientContext, id: string) {
    this.id = id;
    this.#context = context;
  }

  /**
   * Returns the status of the pod (PodSandboxStatus): state, addresses, labels.
   *
   * @throws CriError `NOT_FOUND` if the pod does not exist
   */
  async status(options?: CallOptions): Promise<PodSandboxStatus> {
    return (await podSandboxStatus(this.#context.connection, this.id, false, options)).status;
  }

  /**
   * Returns the state of the pod, by the name that the filter of `pods.list` takes.
   *
   * @throws CriError `NOT_FOUND` if the pod does not exist
   */
  async state(options?: CallOptions): Promise<PodStateName> {
    return podStateName((await this.status(options)).state);
  }

  /**
   * Returns the status with the runtime's verbose info, as `crictl inspectp` shows it (PodSandboxStatus, verbose). The result also
   * has the values that the client reads from the info: process id, network namespace, runtime spec and configuration. Values that
   * the runtime does not report are `undefined`.
   */
  async inspect(options?: CallOptions): Promise<PodInspection> {
    return new PodInspection(await podSandboxStatus(this.#context.connection, this.id, true, options));
  }

  /** Returns the resource usage of the pod and its containers (PodSandboxStats): CPU, memory, network and processes. */
  stats(options?: CallOptions): Promise<PodSandboxStats> {
    return podSandboxStats(this.#context.connection, this.id, options);
  }

  /** Lists the containers of the pod, all or those that match a filter, as `containers.list({ pod })` does. */
  containers(filter: PodContainerFilter = {}, options?: CallOptions): Promise<Container[]> {
    return listContainersOfPod(this.#context.connection, this.id, filter, options);
  }

  /**
   * Stops the pod: calls StopContainer for all its containers at once, each with its grace period, then StopPodSandbox, which
   * removes the network. Succeeds if the pod has stopped already or does not exist.
   */
  stop(options?: StopPodOptions): Promise<void> {
    return stop(this.#context, this.id, undefined, options);
  }

  /**
   * Removes the pod with its containers: stops it as {@link stop} does, by default with SIGKILL at once, then calls
   * RemovePodSandbox. Succeeds if the pod does not exist.
   */
  async remove(options: RemoveOptions = {}): Promise<void> {
    checkOptions(options, removeFields);
    const { gracePeriodSeconds = 0, ...callOptions } = options;
    const { connection } = this.#context;
    const seconds = wholeSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    await removePod(connection, this.id, () => seconds, startBudget(connection, callOptions, undefined));
  }

  /**
   * Streams the logs of the pod's containers in the order of their timestamps. Each entry names its container. The stream contains
   * the latest attempt of each container. With `follow`, the stream also contains later containers and attempts, and ends when
   * every log has ended. With `follow: "forever"`, it ends only when you close it. See `container.logs` and `cri.logs`.
   *
   * @throws InvalidInputError for invalid options
   */
  logs(options: PodLogOptions & { encoding: "buffer" }): LogStream<MergedLogBytesEntry>;
  logs(options?: PodLogOptions & { encoding?: "utf8" | undefined }): LogStream<MergedLogEntry>;
  logs(options?: PodLogOptions): LogStream<MergedLogEntry> | LogStream<MergedLogBytesEntry>;
  logs(options?: PodLogOptions): LogStream<MergedLogEntry | MergedLogBytesEntry> {
    checkOptions(options, podLogFields);
    const { container, ...rest } = options ?? {};
    return mergedLogs(this.#context, { pod: this, container }, rest);
  }

  /**
   * Forwards ports of the pod through the runtime, with or without a local listener. Does no I/O until you connect or listen.
   *
   * ```ts
   * await using forward = pod.portForward(80);
   * const { address } = await forward.listen();
   * ```
   */
  portForward(ports: number | readonly number[], options?: PortForwardOptions): PortForward {
    return portForward(this.#context, this.id, ports, options);
  }

  /** Updates the resources of the pod (UpdatePodSandboxResources). Since Kubernetes 1.33 (containerd 2.2, CRI-O 1.33). */
  updateResources(update: PodResourcesUpdate, options?: CallOptions): Promise<void> {
    return updatePod(this.#context.connection, this.id, update, options);
  }

  /**
   * Returns the URL of a session to ports of the pod (RPC PortForward). The URL is valid for one connection within a minute. It
   * contains its own authorisation, so treat it as a secret.
   */
  async portForwardUrl(ports: readonly number[], options?: CallOptions): Promise<string> {
    checkPorts(ports);
    return portForwardUrl(this.#context.connection, this.id, [...ports], options);
  }

  /**
   * Writes the state of the pod and its containers to an archive (CheckpointPod). Choose a `timeoutMs` that fits the pod. Since
   * Kubernetes 1.37 (alpha; no released runtime implements it).
   *
   * @experimental
   */
  checkpoint(options: PodCheckpointOptions): Promise<void> {
    return checkpointPod(this.#context.connection, this.id, options);
  }

  /**
   * Creates a container in this pod, as `cri.containers.create` does: pulls its image by the pull policy, then calls
   * CreateContainer.
   */
  async createContainer(spec: ContainerInput, options?: CreateContainerOptions): Promise<OwnedContainer> {
    return new OwnedContainer(this.#context, await createContainer(this.#context.connection, this, spec, options));
  }

  /** Creates a container as {@link createContainer} does, and starts it, as `cri.containers.run` does. */
  async runContainer(spec: ContainerInput, options?: CreateContainerOptions): Promise<OwnedContainer> {
    return new OwnedContainer(this.#context, await runContainer(this.#context.connection, this, spec, options));
  }
}

/**
 * A pod sandbox that this program created. Disposing of the handle stops and removes the pod with its containers.
 *
 * ```ts
 * await using pod = await cri.pods.run({ name: "demo" });
 * ```
 */
export class OwnedPodSandbox extends PodSandbox implements AsyncDisposable {
  /** The configuration as it was sent. It contains no secrets by CRI's rules, but labels and annotations may be private. */
  readonly config: PodSandboxConfig;
  /** The grace period of containers whose spec has none, in seconds, from the spec of the pod. */
  readonly terminationGracePeriodSeconds: number | undefined;
  /** Whether another program created the pod, and this one took it over with `adopt`. */
  readonly adopted: boolean;
  readonly #context: ClientContext;
  readonly #ownership = new Ownership();
  readonly #logDirectory: string | undefined;

  /** @internal */
  constructor(context: ClientContext, made: MadePod) {
    super(context, made.id);
    this.#context = context;
    this.config = made.config;
    this.terminationGracePeriodSeconds = made.terminationGracePeriodSeconds;
    this.adopted = made.adopted;
    this.#logDirectory = made.ownLogDirectory;
  }

  /**
   * Stops the pod as a borrowed handle does. {@link terminationGracePeriodSeconds} is the default of containers without their own.
   */
  override stop(options?: StopPodOptions): Promise<void> {
    return stop(this.#context, this.id, this.terminationGracePeriodSeconds, options);
  }

  /**
   * Removes the pod as a borrowed handle does. Then removes the log directory, if it is the pod's own (`logDirectory: { root }`)
   * and no other attempt of the pod exists.
   */
  override async remove(options: RemoveOptions = {}): Promise<void> {
    checkOptions(options, removeFields);
    const limited = pinDeadline(options);
    await super.remove(limited);
    await removeLogDirectory(this.#context.connection, this.id, this.#logDirectory, callOptionsOf(limited));
  }

  /** Gives up ownership: disposal then does nothing. Returns a borrowed handle. */
  release(): PodSandbox {
    this.#ownership.release();
    return new PodSandbox(this.#context, this.id);
  }

  /**
   * Stops the pod, with the grace periods of {@link stop}, and removes it with its containers. Calling it again does nothing.
   *
   * Disposal has a time limit of its own, one minute plus the longest grace period, and retries while the runtime restarts.
   * Disposing of a removed pod succeeds. Any other failure rejects; you can then try again.
   */
  dispose(): Promise<void> {
    return this.#ownership.dispose(async () => {
      const { connection } = this.#context;
      const gracePeriodOf = gracePeriodIn(this.terminationGracePeriodSeconds);
      const listed = await listContainersOfPod(connection, this.id, {}, cleanUpOptions(connection, disposeTimeoutMs));
      const timeoutMs = disposeTimeoutMs + 1_000 * Math.max(0, ...listed.map(gracePeriodOf));
      const options = cleanUpOptions(connection, timeoutMs);
      await removePod(connection, this.id, gracePeriodOf, startBudget(connection, options, undefined));
      await removeLogDirectory(connection, this.id, this.#logDirectory, options);
    });
  }

  /** The same as {@link dispose}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** @param ofPod the grace period of containers without their own */
async function stop(
  { connection }: ClientContext,
  id: string,
  ofPod: number | undefined,
  options: StopPodOptions = {},
): Promise<void> {
  checkOptions(options, stopPodFields);
  const { gracePeriodSeconds, ...callOptions } = options;
  const given = optionalSeconds(gracePeriodSeconds, "gracePeriodSeconds");
  await stopPod(connection, id, gracePeriodIn(ofPod, given), startBudget(connection, callOptions, undefined));
}
