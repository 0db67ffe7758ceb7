import { checkOptions } from "../input/call-options.js";
import type { LogStream } from "../logs/log-stream.js";
import type { CallOptions } from "../options.js";
import type {
  Container,
  PodSandboxConfig,
  PodSandboxStats,
  PodSandboxStatus,
  PodSandboxStatusResponse,
} from "../proto.js";
import { callOptionsOf, pinDeadline, startBudget } from "../rpcs/budget.js";
import { listContainers } from "../rpcs/containers.js";
import { podSandboxStatus } from "../rpcs/pods.js";
import { podSandboxStats } from "../rpcs/stats.js";
import { portForwardUrl } from "../rpcs/stream-urls.js";
import type { ContainerSpec } from "../specs/container-spec.js";
import { checkpointPod, type PodCheckpointOptions } from "./checkpoint.js";
import { OwnedContainer } from "./container.js";
import type { PodContainerFilter } from "./container-filter.js";
import type { ClientContext } from "./context.js";
import { cleanUpOptions } from "./creation/clean-up.js";
import { type CreateContainerOptions, createContainer } from "./creation/create-container.js";
import type { MadePod } from "./creation/made.js";
import { disposeTimeoutMs, Ownership } from "./creation/ownership.js";
import { runContainer } from "./creation/run-container.js";
import { listContainersOfPod } from "./filtered-list.js";
import { gracePeriodIn, optionalSeconds, wholeSeconds } from "./grace-period.js";
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

/** A status with the runtime's diagnostics. */
export type PodInspection = PodSandboxStatusResponse & { status: PodSandboxStatus };

/**
 * A pod sandbox by its id. The handle keeps no state: every method asks the runtime. Made by `cri.pods.get(id)` without I/O, so
 * a wrong id shows on the first call.
 */
export class PodSandbox {
  readonly kind = "pod";
  /** The pod sandbox id. */
  readonly id: string;
  // Private, as whatever handles hold: the client's options are in there, credentials included.
  readonly #context: ClientContext;

  /** @internal */
  constructor(context: ClientContext, id: string) {
    this.id = id;
    this.#context = context;
  }

  /** PodSandboxStatus: state, addresses, labels. Throws `NOT_FOUND` once the pod is removed. */
  async status(options?: CallOptions): Promise<PodSandboxStatus> {
    return (await podSandboxStatus(this.#context.connection, this.id, false, options)).status;
  }

  /** The name of the pod's state, as `pods.list` takes it. Throws `NOT_FOUND` once the pod is removed. */
  async state(options?: CallOptions): Promise<PodStateName> {
    return podStateName((await this.status(options)).state);
  }

  /** PodSandboxStatus with the runtime's own diagnostics, as `crictl inspectp` shows them. */
  inspect(options?: CallOptions): Promise<PodInspection> {
    return podSandboxStatus(this.#context.connection, this.id, true, options);
  }

  /** PodSandboxStats: CPU, memory, network and processes of the pod and its containers. */
  stats(options?: CallOptions): Promise<PodSandboxStats> {
    return podSandboxStats(this.#context.connection, this.id, options);
  }

  /** Lists the containers of the pod, all or those that match a filter, as `containers.list({ pod })` does. */
  containers(filter: PodContainerFilter = {}, options?: CallOptions): Promise<Container[]> {
    return listContainersOfPod(this.#context.connection, this.id, filter, options);
  }

  /**
   * Stops the pod: StopContainer for each of its containers, at the same time and with its grace period, then StopPodSandbox, which
   * takes down the network. Succeeds on a stopped or missing pod.
   */
  stop(options?: StopPodOptions): Promise<void> {
    return stop(this.#context, this.id, undefined, options);
  }

  /**
   * Removes the pod with its containers: stops it as {@link stop} does, but kills at once unless `gracePeriodSeconds` says otherwise,
   * then calls RemovePodSandbox. Succeeds on a missing pod.
   */
  async remove(options: RemoveOptions = {}): Promise<void> {
    checkOptions(options, removeFields);
    const { gracePeriodSeconds = 0, ...callOptions } = options;
    const { connection } = this.#context;
    const seconds = wholeSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    await removePod(connection, this.id, () => seconds, startBudget(connection, callOptions, undefined));
  }

  /**
   * The logs of the pod's containers in the order of their timestamps, each entry naming its container. The latest attempt of each;
   * with `follow` also later containers and attempts, until every log has ended or, with `follow: "forever"`, until the stream is
   * closed. See `container.logs` and `cri.logs`.
   *
   * @throws InvalidInputError for options that make no sense
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
   * Connections to ports of the pod, through the runtime, with or without a local listener. Dials nothing yet.
   *
   * ```ts
   * await using forward = pod.portForward(80);
   * const { address } = await forward.listen();
   * ```
   */
  portForward(ports: number | readonly number[], options?: PortForwardOptions): PortForward {
    return portForward(this.#context, this.id, ports, options);
  }

  /** UpdatePodSandboxResources, since Kubernetes 1.33 (containerd 2.2, CRI-O 1.33). */
  updateResources(update: PodResourcesUpdate, options?: CallOptions): Promise<void> {
    return updatePod(this.#context.connection, this.id, update, options);
  }

  /**
   * PortForward: requests the URL of a streaming session to some of the pod's ports. The URL is good for one connection within a
   * minute and carries its own authorisation: treat it as a secret.
   */
  async portForwardUrl(ports: readonly number[], options?: CallOptions): Promise<string> {
    checkPorts(ports);
    return portForwardUrl(this.#context.connection, this.id, [...ports], options);
  }

  /**
   * CheckpointPod: writes the state of the pod and its containers to an archive. Since Kubernetes 1.37 (alpha; no released runtime has
   * it). Give it a `timeoutMs` that fits the pod.
   *
   * @experimental
   */
  checkpoint(options: PodCheckpointOptions): Promise<void> {
    return checkpointPod(this.#context.connection, this.id, options);
  }

  /**
   * Creates a container in this pod: the image as the pull policy says, then CreateContainer. See
   * `cri.createContainerInSandbox`.
   */
  async createContainer(spec: ContainerSpec, options?: CreateContainerOptions): Promise<OwnedContainer> {
    return new OwnedContainer(this.#context, await createContainer(this.#context.connection, this, spec, options));
  }

  /** As {@link createContainer}, and starts it. */
  async runContainer(spec: ContainerSpec, options?: CreateContainerOptions): Promise<OwnedContainer> {
    return new OwnedContainer(this.#context, await runContainer(this.#context.connection, this, spec, options));
  }
}

/**
 * A pod sandbox that this program made: it knows the configuration it was made from, and disposing of it stops and removes the
 * pod with everything in it.
 *
 * ```ts
 * await using pod = await cri.pods.run({ name: "demo" });
 * ```
 */
export class OwnedPodSandbox extends PodSandbox implements AsyncDisposable {
  /** The configuration as it was sent. Not a secret by CRI's rules, but labels and annotations may be private. */
  readonly config: PodSandboxConfig;
  /** From the spec: what its containers get unless theirs says otherwise. */
  readonly terminationGracePeriodSeconds: number | undefined;
  /** Something else had made the pod, and it was taken over with `adopt`. */
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

  /** Stops the pod as a borrowed handle does. {@link terminationGracePeriodSeconds} is the default of containers without their own. */
  override stop(options?: StopPodOptions): Promise<void> {
    return stop(this.#context, this.id, this.terminationGracePeriodSeconds, options);
  }

  /**
   * Removes the pod as a borrowed handle does, and the log directory if it is the pod's own (`logDirectory: { root }`) and no other
   * attempt of the pod exists.
   */
  override async remove(options: RemoveOptions = {}): Promise<void> {
    checkOptions(options, removeFields);
    const limited = pinDeadline(options);
    await super.remove(limited);
    await removeLogDirectory(this.#context.connection, this.id, this.#logDirectory, callOptionsOf(limited));
  }

  /** Lets the pod live on: disposal does nothing any more. Returns a borrowed handle. */
  release(): PodSandbox {
    this.#ownership.release();
    return new PodSandbox(this.#context, this.id);
  }

  /**
   * Stops and removes the pod, once, with the grace periods of {@link stop}. Disposal has a minute of its own beyond the longest
   * grace period of the pod's containers, and retries while the runtime restarts. Disposing of a removed pod succeeds; any other
   * failure rejects, and disposal can be tried again.
   */
  dispose(): Promise<void> {
    return this.#ownership.dispose(async () => {
      const { connection } = this.#context;
      const gracePeriodOf = gracePeriodIn(this.terminationGracePeriodSeconds);
      const listed = await listContainers(connection, inPod(this.id), cleanUpOptions(connection, disposeTimeoutMs));
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

function inPod(podSandboxId: string) {
  return { id: "", state: undefined, podSandboxId, labelSelector: {} };
}
