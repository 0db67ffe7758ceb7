import { InvalidInputError } from "../errors.js";
import type { CallOptions } from "../options.js";
import {
  PodSandboxConfig,
  type PodSandboxFilter,
  type PodSandbox as PodSandboxMessage,
  type PodSandboxMetadata,
  PodSandboxState,
  type PodSandboxStatus,
  type PodSandboxStatusResponse,
  type RestoredContainer,
} from "../proto.js";
import { startBudget } from "../rpcs/budget.js";
import { checkId } from "../rpcs/checked.js";
import * as rpcs from "../rpcs/pods.js";
import { isCriO, isDocker, mayAnswerWithOlder } from "../rpcs/runtime.js";
import { portForwardUrl } from "../rpcs/stream-urls.js";
import { stringMap } from "../specs/check.js";
import { readContainerSpec } from "../specs/container-config.js";
import type { ContainerSpec } from "../specs/container-spec.js";
import { ObjectReader } from "../specs/object-reader.js";
import { toPodSandboxConfig } from "../specs/pod-config.js";
import { annotatePodConfig } from "../specs/pod-config-annotation.js";
import type { PodSpec } from "../specs/pod-spec.js";
import { type OverheadSpec, type ResourcesSpec, toLinuxResources, toOverhead } from "../specs/resources.js";
import type { Connection } from "../transport/connection.js";
import type { Core } from "./core.js";
import { markCreation, readMark } from "./creation/creation-mark.js";
import { createReconciled } from "./creation/reconcile.js";
import { annotateGracePeriod, gracePeriodIn, wholeSeconds } from "./grace-period.js";
import { OwnedPodSandbox, PodSandbox } from "./pod.js";
import { checkPorts } from "./sessions/port-forward.js";
import { type RemoveOptions, removePod, stopPod } from "./stopping.js";
import { type ContainerTarget, idOf, type PodTarget } from "./target.js";
import { podMatcher } from "./watching/match.js";

/** Which pods to list; everything given must match. */
export interface PodFilter {
  /** The pod sandbox id or a unique beginning of it. */
  id?: string | undefined;
  state?: "ready" | "notReady" | undefined;
  /** Labels with exactly these values. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** The pod's name. CRI cannot filter by it, so this is done here. */
  name?: string | undefined;
  /** The pod's namespace. Filtered here. */
  namespace?: string | undefined;
  /** The pod's uid. Filtered here. */
  uid?: string | undefined;
}

/** Options of {@link Pods.run}. */
export interface RunPodOptions extends CallOptions {
  /**
   * Take over a ready pod of this name, namespace, uid and attempt that something else made from the same configuration. The
   * handle then owns it: see `adopted` there.
   *
   * @defaultValue false: `NameReservedError`
   */
  adopt?: boolean | undefined;
}

/** Options of {@link Pods.stop}. */
export interface StopPodOptions extends CallOptions {
  /**
   * Seconds that each running container has, after its stop signal, to end by itself before the runtime kills it; 0 kills at once.
   * Fractions are rounded up. A limit of the call (`timeoutMs`, `deadline`) shortens it, so that the pod is stopped in time.
   *
   * @defaultValue the `terminationGracePeriodSeconds` of the container's spec, else that of the pod's if the handle owns the pod,
   *   else 0, as CRI defines StopPodSandbox
   */
  gracePeriodSeconds?: number | undefined;
}

/** A status with the runtime's diagnostics. */
export type PodInspection = PodSandboxStatusResponse & { status: PodSandboxStatus };

/** New resources of a pod, as absolute values. */
export interface PodResourcesUpdate {
  /** The sum of what the containers may use. */
  resources?: ResourcesSpec | undefined;
  /** What the pod itself needs on top, as for a VM-based runtime. */
  overhead?: OverheadSpec | undefined;
}

/** Options of {@link Pods.checkpoint}. Since Kubernetes 1.37 (alpha). */
export interface PodCheckpointOptions extends CallOptions {
  /** Absolute path on the node for the archive. */
  outputPath: string;
  /** Only these containers. @defaultValue all of the pod's */
  containers?: readonly ContainerTarget[] | undefined;
  /** Options that the runtime defines. */
  runtimeOptions?: Readonly<Record<string, string>> | undefined;
}

/** Options of {@link Pods.restore}. Since Kubernetes 1.37 (alpha). */
export interface PodRestoreOptions extends CallOptions {
  /** Absolute path on the node of the archive that a checkpoint wrote. */
  checkpointPath: string;
  /** The containers as they are to come back. */
  containers?: readonly ContainerSpec[] | undefined;
  /** Options that the runtime defines. */
  runtimeOptions?: Readonly<Record<string, string>> | undefined;
}

/**
 * The pod sandboxes of a node: `cri.pods`. All methods reject with {@link CriError}, with {@link InvalidInputError} before any I/O
 * when an argument makes no sense, and with the signal's reason when they are cancelled.
 */
export class Pods {
  readonly #core: Core;
  readonly #connection: Connection;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
    this.#connection = core.connection;
  }

  /**
   * RunPodSandbox: creates a pod sandbox with its network and returns an owning handle. Default budget: four minutes.
   *
   * A lost answer does not make a second pod: the pod is looked up by name, namespace, uid and attempt, and taken if it is the
   * work of this call. If the call is aborted or runs out of time, what the runtime has made by then is looked for, which may take
   * 3.5 seconds longer, and removed, as long as the runtime takes for that (at most 15 seconds). With a `uid` in the spec a later
   * call finds what shows up after that, too; without one every call makes a pod of its own.
   *
   * @throws NameReservedError if the name, namespace, uid and attempt belong to another pod
   * @throws InvalidInputError, CriError
   */
  async run(spec: PodSpec, options: RunPodOptions = {}): Promise<OwnedPodSandbox> {
    const { adopt = false, ...callOptions } = options;
    const converted = toPodSandboxConfig(spec);
    const { config, mark } = markCreation(PodSandboxConfig, converted.config, annotatePodConfig(converted.config));
    const identity = config.metadata as PodSandboxMetadata;
    const connection = this.#connection;
    const { id, adopted } = await createReconciled({
      what: `pod sandbox ${identity.namespace}/${identity.name}`,
      mark,
      adopt,
      budget: startBudget(connection, callOptions, 2),
      // A uid that was made up for this call is nobody else's.
      mayBeOlder: async (o) => spec.uid !== undefined && mayAnswerWithOlder(connection, o),
      mayLeaveFailed: (o) => isDocker(connection, o),
      mayStall: (o) => isCriO(connection, o),
      mayDuplicate: (o) => isDocker(connection, o),
      create: (o) => rpcs.runPodSandbox(connection, config, converted.runtimeHandler, o),
      find: async (o) => {
        const all = await rpcs.listPodSandboxes(connection, undefined, o);
        const found = all.find(({ metadata }) => metadata && samePod(metadata, identity));
        if (!found) return undefined;
        return {
          id: found.id,
          mark: readMark(found),
          fresh: found.state === PodSandboxState.SANDBOX_READY,
          state: PodSandboxState[found.state] ?? String(found.state),
        };
      },
      remove: (podId, o) => removePod(connection, podId, () => 0, startBudget(connection, o, 1)),
    });
    return new OwnedPodSandbox(this.#core, id, { ...converted, config, adopted });
  }

  /** A handle to an existing pod, by id. No I/O: a wrong id shows on the first call. */
  get(id: string): PodSandbox {
    return new PodSandbox(this.#core, checkId(id, "id"));
  }

  /** The pods on the node, as the runtime lists them. Streamed where the runtime can (since Kubernetes 1.36). */
  async list(filter: PodFilter = {}, options?: CallOptions): Promise<PodSandboxMessage[]> {
    const { name, namespace, uid } = filter;
    const pods = await rpcs.listPodSandboxes(this.#connection, toPodFilter(filter), options);
    return pods.filter(podMatcher({ name, namespace, uid }));
  }

  /** PodSandboxStatus: state, addresses, labels. Throws `NOT_FOUND` once the pod is removed. */
  async status(pod: PodTarget, options?: CallOptions): Promise<PodSandboxStatus> {
    return (await rpcs.podSandboxStatus(this.#connection, idOf(pod, "pod"), false, options)).status;
  }

  /** PodSandboxStatus with the runtime's own diagnostics, as `crictl inspectp` shows them. */
  async inspect(pod: PodTarget, options?: CallOptions): Promise<PodInspection> {
    return rpcs.podSandboxStatus(this.#connection, idOf(pod, "pod"), true, options);
  }

  /**
   * Stops a pod: StopContainer for each of its containers, at the same time and with its grace period, then StopPodSandbox, which
   * takes down the network. Succeeds on a stopped or missing pod.
   */
  async stop(pod: PodTarget, options: StopPodOptions = {}): Promise<void> {
    const { gracePeriodSeconds, ...callOptions } = options;
    const id = idOf(pod, "pod");
    const given = gracePeriodSeconds === undefined ? undefined : wholeSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    const ofPod = pod instanceof OwnedPodSandbox ? pod.terminationGracePeriodSeconds : undefined;
    await stopPod(
      this.#connection,
      id,
      gracePeriodIn(ofPod, given),
      startBudget(this.#connection, callOptions, undefined),
    );
  }

  /**
   * Removes a pod with its containers: stops it as {@link stop} does, but kills at once unless `gracePeriodSeconds` says otherwise,
   * then RemovePodSandbox. Succeeds on a missing pod.
   */
  async remove(pod: PodTarget, options: RemoveOptions = {}): Promise<void> {
    const { gracePeriodSeconds = 0, ...callOptions } = options;
    const id = idOf(pod, "pod");
    const seconds = wholeSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    await removePod(this.#connection, id, () => seconds, startBudget(this.#connection, callOptions, undefined));
  }

  /** UpdatePodSandboxResources, since Kubernetes 1.33 (containerd 2.2, CRI-O 1.33). */
  async updateResources(pod: PodTarget, update: PodResourcesUpdate, options?: CallOptions): Promise<void> {
    const given = new ObjectReader(update, "update", { resources: true, overhead: true });
    await rpcs.updatePodSandboxResources(
      this.#connection,
      idOf(pod, "pod"),
      {
        resources: given.read("resources", toLinuxResources),
        overhead: given.read("overhead", toOverhead),
      },
      options,
    );
  }

  /** CheckpointPod, since Kubernetes 1.37 (alpha; no released runtime has it). Give it a `timeoutMs` that fits the pod. */
  async checkpoint(pod: PodTarget, options: PodCheckpointOptions): Promise<void> {
    const { outputPath, containers = [], runtimeOptions, ...callOptions } = options;
    const request = {
      podSandboxId: idOf(pod, "pod"),
      outputPath: absolutePath(outputPath, "outputPath"),
      containerIds: containers.map((container, index) => idOf(container, `containers[${index}]`)),
      options: stringMap(runtimeOptions, "runtimeOptions"),
    };
    await rpcs.checkpointPod(this.#connection, request, callOptions);
  }

  /**
   * RestorePod, since Kubernetes 1.37 (alpha; no released runtime has it): a pod and its containers come back from an archive.
   * Returns the owning handle of the pod and the ids of its containers by name.
   */
  async restore(
    spec: PodSpec,
    options: PodRestoreOptions,
  ): Promise<{ pod: OwnedPodSandbox; restoredContainers: RestoredContainer[] }> {
    const { checkpointPath, containers = [], runtimeOptions, ...callOptions } = options;
    const converted = toPodSandboxConfig(spec);
    const { runtimeHandler, terminationGracePeriodSeconds } = converted;
    const config = annotated(converted.config, annotatePodConfig(converted.config));
    const request = {
      checkpointPath: absolutePath(checkpointPath, "checkpointPath"),
      config,
      runtimeHandler,
      containerConfigs: containers.map((container) => {
        const made = readContainerSpec(container).complete({ pod: config, terminationGracePeriodSeconds });
        return annotated(made.config, annotateGracePeriod(made.terminationGracePeriodSeconds));
      }),
      options: stringMap(runtimeOptions, "runtimeOptions"),
    };
    const { podSandboxId, restoredContainers } = await rpcs.restorePod(this.#connection, request, callOptions);
    const pod = new OwnedPodSandbox(this.#core, podSandboxId, { ...converted, config, adopted: false });
    return { pod, restoredContainers };
  }

  /**
   * PortForward: asks for the URL of a streaming session to some of the pod's ports. The URL is good for one connection within a
   * minute and carries its own authorisation: treat it as a secret.
   */
  async portForwardUrl(pod: PodTarget, ports: readonly number[], options?: CallOptions): Promise<string> {
    checkPorts(ports);
    return portForwardUrl(this.#connection, idOf(pod, "pod"), [...ports], options);
  }
}

function annotated<T extends { annotations: Record<string, string> }>(config: T, more: Record<string, string>): T {
  return { ...config, annotations: { ...config.annotations, ...more } };
}

function samePod(a: PodSandboxMetadata, b: PodSandboxMetadata): boolean {
  return a.name === b.name && a.namespace === b.namespace && a.uid === b.uid && a.attempt === b.attempt;
}

/** What CRI can filter by itself; undefined for all pods. cri-dockerd hides pods whose containers were removed behind its back from a list with an empty filter. */
function toPodFilter(filter: PodFilter): PodSandboxFilter | undefined {
  const { id, state, labels } = filter;
  if (state !== undefined && state !== "ready" && state !== "notReady") {
    throw new InvalidInputError({ field: "filter.state", message: 'must be "ready" or "notReady"', value: state });
  }
  const labelSelector = stringMap(labels, "filter.labels");
  if (id === undefined && state === undefined && Object.keys(labelSelector).length === 0) return undefined;
  return {
    id: id === undefined ? "" : checkId(id, "filter.id"),
    state: state && { state: state === "ready" ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY },
    labelSelector,
  };
}

function absolutePath(path: string, field: string): string {
  if (typeof path === "string" && path.startsWith("/")) return path;
  throw new InvalidInputError({ field, message: "must be an absolute path on the node", value: path });
}
