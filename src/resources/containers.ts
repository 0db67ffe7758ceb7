import { InvalidInputError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type {
  ContainerFilter as ContainerFilterMessage,
  Container as ContainerMessage,
  ContainerStatus,
  ContainerStatusResponse,
  WindowsContainerResources,
} from "../proto.js";
import { callOptionsOf, startBudget } from "../rpcs/budget.js";
import { checkId } from "../rpcs/checked.js";
import * as rpcs from "../rpcs/containers.js";
import { attachUrl, execUrl } from "../rpcs/stream-urls.js";
import { stringMap } from "../specs/check.js";
import type { ContainerSpec } from "../specs/container-spec.js";
import { type FieldsOf, ObjectReader } from "../specs/object-reader.js";
import { type ResourcesSpec, toLinuxResources } from "../specs/resources.js";
import type { Connection } from "../transport/connection.js";
import { Container, OwnedContainer } from "./container.js";
import type { Core } from "./core.js";
import { type CreateContainerOptions, createContainer } from "./creation/create-container.js";
import { type RestartOptions, restart } from "./creation/restart.js";
import { retryWhileBusy } from "./creation/retry-while-busy.js";
import { runContainer } from "./creation/run-container.js";
import { startReconciled } from "./creation/start.js";
import { annotatedGracePeriod, defaultGracePeriodSeconds, wholeSeconds } from "./grace-period.js";
import { checkCommand } from "./sessions/check-command.js";
import { checkStreams, type StreamOptions } from "./sessions/exec.js";
import type { ExecResult } from "./sessions/exec-result.js";
import { type ExecSyncOptions, execSync } from "./sessions/exec-sync.js";
import { type RemoveOptions, removeContainer } from "./stopping.js";
import { type ContainerTarget, idOf, type PodTarget } from "./target.js";
import { type ContainerExit, waitForExit } from "./wait.js";
import { containerStates } from "./watching/match.js";

/** The state of a container in words. */
export type ContainerStateName = "created" | "running" | "exited" | "unknown";

/** Which containers to list; everything given must match. */
export interface ContainerFilter {
  /** The container id or a unique beginning of it. */
  id?: string | undefined;
  /** Only the containers of this pod. */
  pod?: PodTarget | undefined;
  state?: ContainerStateName | undefined;
  /** Labels with exactly these values. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** The container's name. CRI cannot filter by it, so this is done here. */
  name?: string | undefined;
}

/** A status with the runtime's diagnostics. */
export type ContainerInspection = ContainerStatusResponse & { status: ContainerStatus };

/** Options of StopContainer. */
export interface StopOptions extends CallOptions {
  /**
   * How long the process has, after the stop signal, to end by itself before it is killed, in whole seconds; 0 kills at once.
   * The default budget of the call is two minutes more than this.
   *
   * @defaultValue the `terminationGracePeriodSeconds` of the spec, which for a borrowed handle is read from the container's
   *   annotations with a ListContainers; else 30 as in Kubernetes
   */
  gracePeriodSeconds?: number | undefined;
}

/** New resources of a container. What is left out stays as it is. */
export interface ContainerResourcesUpdate {
  /** Limits and requests as in a spec. */
  resources?: ResourcesSpec | undefined;
  /** Windows containers: the wire message as it is. */
  windows?: Partial<WindowsContainerResources> | undefined;
  /** Annotations that the runtime is to take note of. */
  annotations?: Readonly<Record<string, string>> | undefined;
}

/** Options of CheckpointContainer. */
export interface CheckpointOptions extends CallOptions {
  /** Absolute path on the node for the archive. */
  outputPath: string;
  /** How long the runtime may take, in whole seconds; 0 leaves it to the runtime. @defaultValue 0 */
  checkpointTimeoutSeconds?: number | undefined;
}

/** Options of the RPCs that hand out URLs of streaming sessions. */
export interface StreamUrlOptions extends CallOptions, Omit<StreamOptions, "terminalSize"> {}

/**
 * The containers of a node: `cri.containers`. All methods reject with {@link CriError}, with {@link InvalidInputError} before any
 * I/O when an argument makes no sense, and with the signal's reason when they are cancelled.
 */
export class Containers {
  readonly #core: Core;
  readonly #connection: Connection;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
    this.#connection = core.connection;
  }

  /**
   * Creates a container in a pod: pulls its image as the pull policy says, then CreateContainer. The container is not started
   * yet. A lost answer does not make a second container: it is looked up by name and attempt in its pod, and taken if it is the
   * work of this call. If the call is aborted or runs out of time, what the runtime has made by then is looked for, which may take
   * 3.5 seconds longer, and removed, as long as the runtime takes for that (at most 15 seconds). A pulled image stays.
   *
   * @throws NameReservedError if the name and attempt belong to another container of the pod
   * @throws ImagePullError, InvalidInputError, CriError
   */
  async create(pod: PodTarget, spec: ContainerSpec, options?: CreateContainerOptions): Promise<OwnedContainer> {
    return createContainer(this.#core, pod, spec, options);
  }

  /**
   * As {@link create}, and StartContainer. A container that does not start is removed again; failures of that are in the error's
   * `suppressed`.
   *
   * @throws as {@link create}
   */
  async run(pod: PodTarget, spec: ContainerSpec, options?: CreateContainerOptions): Promise<OwnedContainer> {
    return runContainer(this.#core, pod, spec, options);
  }

  /** A handle to an existing container, by id. No I/O: a wrong id shows on the first call. */
  get(id: string): Container {
    return new Container(this.#core, checkId(id, "id"));
  }

  /** The containers on the node, as the runtime lists them. Streamed where the runtime can (since Kubernetes 1.36). */
  async list(filter: ContainerFilter = {}, options?: CallOptions): Promise<ContainerMessage[]> {
    const containers = await rpcs.listContainers(this.#connection, toFilterMessage(filter), options);
    return filter.name === undefined ? containers : containers.filter(({ metadata }) => metadata?.name === filter.name);
  }

  /** StartContainer. A lost answer is settled by a look at the container's state. */
  async start(container: ContainerTarget, options?: CallOptions): Promise<void> {
    await startReconciled(this.#connection, idOf(container, "container"), startBudget(this.#connection, options, 1));
  }

  /** StopContainer: the stop signal, then SIGKILL when the grace period is over. Succeeds on a stopped or missing container. */
  async stop(container: ContainerTarget, options: StopOptions = {}): Promise<void> {
    const { gracePeriodSeconds, ...callOptions } = options;
    const id = idOf(container, "container");
    const given = gracePeriodSeconds === undefined ? undefined : wholeSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    const budget = startBudget(this.#connection, callOptions, undefined);
    const own = async () =>
      container instanceof OwnedContainer
        ? container.terminationGracePeriodSeconds
        : this.#keptGracePeriod(id, budget.options());
    const seconds = given ?? (await own()) ?? defaultGracePeriodSeconds;
    await retryWhileBusy(budget, (o) => rpcs.stopContainer(this.#connection, id, seconds, o));
  }

  /** The grace period that the annotations of a container keep; none of a missing container. */
  async #keptGracePeriod(id: string, options: CallOptions): Promise<number | undefined> {
    const [container] = await this.list({ id }, options);
    return container && annotatedGracePeriod(container.annotations);
  }

  /**
   * Removes a container: StopContainer, which kills a running process at once unless `gracePeriodSeconds` says otherwise, then
   * RemoveContainer. Waits for a start that is under way. Succeeds on a missing container.
   */
  async remove(container: ContainerTarget, options: RemoveOptions = {}): Promise<void> {
    const { gracePeriodSeconds = 0, ...callOptions } = options;
    const id = idOf(container, "container");
    const seconds = wholeSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    await removeContainer(this.#connection, id, seconds, startBudget(this.#connection, callOptions, undefined));
  }

  /** ContainerStatus: state, exit code, times, image, mounts. Throws `NOT_FOUND` once the container is removed. */
  async status(container: ContainerTarget, options?: CallOptions): Promise<ContainerStatus> {
    return (await rpcs.containerStatus(this.#connection, idOf(container, "container"), false, options)).status;
  }

  /** ContainerStatus with the runtime's own diagnostics, as `crictl inspect` shows them. */
  async inspect(container: ContainerTarget, options?: CallOptions): Promise<ContainerInspection> {
    return rpcs.containerStatus(this.#connection, idOf(container, "container"), true, options);
  }

  /**
   * Waits until a container has exited. Without `timeoutMs` or `signal` it can wait for ever: CRI-O, killed in the middle of a start,
   * reports a container as running whose process is gone. The error of a wait that takes too long names the last state.
   *
   * @throws CriError; `FAILED_PRECONDITION` if the runtime has lost track of the container and reports CONTAINER_UNKNOWN for one
   *   `watch.relistMs` (10 s by default), `NOT_FOUND` if the container is removed, `DEADLINE_EXCEEDED`
   */
  async wait(container: ContainerTarget, options?: CallOptions): Promise<ContainerExit> {
    return waitForExit(this.#core, idOf(container, "container"), options);
  }

  /**
   * ExecSync: runs a command to its end and returns its exit code and output (up to 16 MiB each). containerd kills the command of a
   * call that is aborted, unless it was just being started: then it runs on. CRI-O kills a command up to 2 s after the deadline of the
   * call, but not when the call is aborted. Docker kills none.
   */
  execSync(
    container: ContainerTarget,
    command: readonly string[],
    options: ExecSyncOptions & { encoding: "buffer" },
  ): Promise<ExecResult<Uint8Array>>;
  execSync(
    container: ContainerTarget,
    command: readonly string[],
    options?: ExecSyncOptions & { encoding?: "utf8" | undefined },
  ): Promise<ExecResult>;
  execSync(
    container: ContainerTarget,
    command: readonly string[],
    options?: ExecSyncOptions,
  ): Promise<ExecResult | ExecResult<Uint8Array>>;
  async execSync(
    container: ContainerTarget,
    command: readonly string[],
    options?: ExecSyncOptions,
  ): Promise<ExecResult | ExecResult<Uint8Array>> {
    return execSync(this.#connection, idOf(container, "container"), command, options);
  }

  /**
   * Restarts as a kubelet does: CRI cannot start a container twice, so a new one is created from the same configuration with the
   * next attempt number, and started. Returns the owning handle of the new one.
   */
  async restart(container: ContainerTarget, options?: RestartOptions): Promise<OwnedContainer> {
    return restart(this.#core, container, options);
  }

  /** UpdateContainerResources of a created or running container. What is left out stays as it is. */
  async updateResources(
    container: ContainerTarget,
    update: ContainerResourcesUpdate,
    options?: CallOptions,
  ): Promise<void> {
    const given = new ObjectReader(update, "update", updateFields);
    await rpcs.updateContainerResources(
      this.#connection,
      {
        containerId: idOf(container, "container"),
        annotations: given.read("annotations", stringMap),
        linux: given.read("resources", toLinuxResources),
        windows: update.windows as WindowsContainerResources | undefined,
      },
      options,
    );
  }

  /** CheckpointContainer, since Kubernetes 1.25: writes the container's state to an archive. Needs CRIU on the node. */
  async checkpoint(container: ContainerTarget, options: CheckpointOptions): Promise<void> {
    const { outputPath, checkpointTimeoutSeconds = 0, ...callOptions } = options;
    if (typeof outputPath !== "string" || !outputPath.startsWith("/")) {
      throw new InvalidInputError({
        field: "outputPath",
        message: "must be an absolute path on the node",
        value: outputPath,
      });
    }
    const seconds = wholeSeconds(checkpointTimeoutSeconds, "checkpointTimeoutSeconds");
    await rpcs.checkpointContainer(this.#connection, idOf(container, "container"), outputPath, seconds, callOptions);
  }

  /** ReopenContainerLog, after the log file was renamed: the runtime goes on in a new file. Only for a running container. */
  async reopenLog(container: ContainerTarget, options?: CallOptions): Promise<void> {
    await rpcs.reopenContainerLog(this.#connection, idOf(container, "container"), options);
  }

  /**
   * Exec: asks for the URL of a streaming session. The URL is good for one connection within a minute and carries its own
   * authorisation: treat it as a secret.
   */
  async execUrl(
    container: ContainerTarget,
    command: readonly string[],
    options: StreamUrlOptions = {},
  ): Promise<string> {
    checkCommand(command);
    const containerId = idOf(container, "container");
    const request = { containerId, cmd: [...command], ...checkStreams(options) };
    return execUrl(this.#connection, request, callOptionsOf(options));
  }

  /** Attach: asks for the URL of a streaming session with the container's main process; see {@link execUrl}. */
  async attachUrl(container: ContainerTarget, options: StreamUrlOptions = {}): Promise<string> {
    const request = { containerId: idOf(container, "container"), ...checkStreams(options) };
    return attachUrl(this.#connection, request, callOptionsOf(options));
  }
}

const updateFields: FieldsOf<ContainerResourcesUpdate> = { resources: true, windows: true, annotations: true };

/** What CRI can filter by itself. */
function toFilterMessage(filter: ContainerFilter): ContainerFilterMessage {
  const { id, pod, state, labels } = filter;
  if (state !== undefined && !Object.hasOwn(containerStates, state)) {
    throw new InvalidInputError({
      field: "filter.state",
      message: `must be one of ${Object.keys(containerStates).join(", ")}`,
      value: state,
    });
  }
  return {
    id: id === undefined ? "" : checkId(id, "filter.id"),
    podSandboxId: pod === undefined ? "" : idOf(pod, "filter.pod"),
    state: state && { state: containerStates[state] },
    labelSelector: stringMap(labels, "filter.labels"),
  };
}
