import type { LogStream } from "../logs/log-stream.js";
import type { CallOptions } from "../options.js";
import type { PodSandboxConfig, PodSandboxStats, PodSandboxStatus } from "../proto.js";
import { callOptionsOf, pinDeadline, startBudget } from "../rpcs/budget.js";
import type { ContainerSpec } from "../specs/container-spec.js";
import type { ConvertedPod } from "../specs/pod-config.js";
import type { OwnedContainer } from "./container.js";
import type { Core } from "./core.js";
import { cleanUpOptions } from "./creation/clean-up.js";
import type { CreateContainerOptions } from "./creation/create-container.js";
import { disposeTimeoutMs, Ownership } from "./creation/ownership.js";
import { gracePeriodIn } from "./grace-period.js";
import { removeLogDirectory } from "./log-folder.js";
import { type MergedLogBytesEntry, type MergedLogEntry, mergedLogs, type PodLogOptions } from "./logs/merged-logs.js";
import type { PodInspection, PodResourcesUpdate, StopPodOptions } from "./pods.js";
import { type PortForward, type PortForwardOptions, portForward } from "./sessions/port-forward.js";
import { type RemoveOptions, removePod } from "./stopping.js";

/**
 * A pod sandbox by its id. The handle keeps no state: every method asks the runtime. Made by `cri.pods.get(id)` without I/O, so
 * a wrong id shows on the first call.
 */
export class PodSandbox {
  readonly kind = "pod";
  /** The pod sandbox id. */
  readonly id: string;
  // Private, as whatever handles hold: the client's options are in there, credentials included.
  readonly #core: Core;

  /** @internal */
  constructor(core: Core, id: string) {
    this.id = id;
    this.#core = core;
  }

  /** PodSandboxStatus: state, addresses, labels. Throws `NOT_FOUND` once the pod is removed. */
  status(options?: CallOptions): Promise<PodSandboxStatus> {
    return this.#core.pods.status(this, options);
  }

  /** PodSandboxStatus with the runtime's own diagnostics, as `crictl inspectp` shows them. */
  inspect(options?: CallOptions): Promise<PodInspection> {
    return this.#core.pods.inspect(this, options);
  }

  /** PodSandboxStats: CPU, memory, network and processes of the pod and its containers. */
  stats(options?: CallOptions): Promise<PodSandboxStats> {
    return this.#core.stats.pod(this, options);
  }

  /** Stops the pod's containers, each with its grace period, then the pod. Succeeds on a stopped or missing pod. */
  stop(options?: StopPodOptions): Promise<void> {
    return this.#core.pods.stop(this, options);
  }

  /** Removes the pod with its containers, running ones by force. Succeeds on a missing pod. */
  remove(options?: RemoveOptions): Promise<void> {
    return this.#core.pods.remove(this, options);
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
    const { container, ...rest } = options ?? {};
    return mergedLogs(this.#core, { pod: this, container }, rest);
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
    return portForward(this.#core, this.id, ports, options);
  }

  /** UpdatePodSandboxResources, since Kubernetes 1.33 (containerd 2.2, CRI-O 1.33). */
  updateResources(update: PodResourcesUpdate, options?: CallOptions): Promise<void> {
    return this.#core.pods.updateResources(this, update, options);
  }

  /**
   * Creates a container in this pod: the image as the pull policy says, then CreateContainer. See
   * `cri.createContainerInSandbox`.
   */
  createContainer(spec: ContainerSpec, options?: CreateContainerOptions): Promise<OwnedContainer> {
    return this.#core.containers.create(this, spec, options);
  }

  /** As {@link createContainer}, and starts it. */
  runContainer(spec: ContainerSpec, options?: CreateContainerOptions): Promise<OwnedContainer> {
    return this.#core.containers.run(this, spec, options);
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
  readonly #core: Core;
  readonly #ownership = new Ownership();
  readonly #logDirectory: string | undefined;

  /** @internal */
  constructor(core: Core, id: string, made: Omit<ConvertedPod, "runtimeHandler"> & { adopted: boolean }) {
    super(core, id);
    this.#core = core;
    this.config = made.config;
    this.terminationGracePeriodSeconds = made.terminationGracePeriodSeconds;
    this.adopted = made.adopted;
    this.#logDirectory = made.ownLogDirectory;
  }

  /**
   * Removes the pod as a borrowed handle does, and the log directory if it is the pod's own (`logDirectory: { root }`) and no other
   * attempt of the pod exists.
   */
  override async remove(options: RemoveOptions = {}): Promise<void> {
    const limited = pinDeadline(options);
    await super.remove(limited);
    await removeLogDirectory(this.#core.connection, this.id, this.#logDirectory, callOptionsOf(limited));
  }

  /** Lets the pod live on: disposal does nothing any more. Returns a borrowed handle. */
  release(): PodSandbox {
    this.#ownership.release();
    return new PodSandbox(this.#core, this.id);
  }

  /**
   * Stops and removes the pod, once, with the grace periods of {@link stop}. Disposal has a minute of its own beyond the longest
   * grace period of the pod's containers, and retries while the runtime restarts. Disposing of a removed pod succeeds; any other
   * failure rejects, and disposal can be tried again.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#ownership.dispose(async () => {
      const { connection, containers } = this.#core;
      const gracePeriodOf = gracePeriodIn(this.terminationGracePeriodSeconds);
      const listed = await containers.list({ pod: this.id }, cleanUpOptions(connection, disposeTimeoutMs));
      const timeoutMs = disposeTimeoutMs + 1_000 * Math.max(0, ...listed.map(gracePeriodOf));
      const options = cleanUpOptions(connection, timeoutMs);
      await removePod(connection, this.id, gracePeriodOf, startBudget(connection, options, undefined));
      await removeLogDirectory(connection, this.id, this.#logDirectory, options);
    });
  }
}
