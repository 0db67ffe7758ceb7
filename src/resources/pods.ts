import type { CriStream } from "../internal/stream.js";
import type { CallOptions } from "../options.js";
import type { PodSandbox as PodSandboxMessage, RestoredContainer } from "../proto.js";
import type { PodSpec } from "../specs/pod-spec.js";
import type { ClientContext } from "./context.js";
import type { PodInput } from "./creation/message-input.js";
import { type PodRestoreOptions, restorePod } from "./creation/restore-pod.js";
import { type RunPodOptions, runPod } from "./creation/run-pod.js";
import { iteratePods, listPods } from "./filtered-list.js";
import { findPod } from "./find.js";
import { OwnedPodSandbox, PodSandbox } from "./pod.js";
import type { PodFilter } from "./pod-filter.js";
import type { PrunePodsOptions } from "./pruning/prunable-pods.js";
import { type PrunedLogs, type PruneLogsOptions, pruneLogs } from "./pruning/prune-logs.js";
import { type PrunedPods, prunePods } from "./pruning/prune-pods.js";
import { type ResolveOptions, resolve } from "./resolving/resolve.js";
import type { RemoveOptions } from "./stopping.js";
import { idOf, type PodTarget } from "./target.js";

/**
 * The pod sandboxes of a node: `cri.pods`. Creates, finds, lists and removes pods; all other operations on one pod are methods of
 * its handle, which {@link get} returns without I/O.
 *
 * All methods reject with {@link CriError}, with {@link InvalidInputError} before any I/O when an argument is invalid, and with the
 * signal's reason when they are cancelled.
 */
export class Pods {
  readonly #context: ClientContext;

  /** @internal */
  constructor(context: ClientContext) {
    this.#context = context;
  }

  /**
   * Creates a pod sandbox with its network (RunPodSandbox), and returns an owning handle. The default time limit is four minutes.
   * Takes a spec, or a PodSandboxConfig of `k8s-cri-client/proto`, which it sends with the annotations of this package added.
   *
   * A lost reply does not lead to a second pod: the client searches for the pod by name, namespace, uid and attempt, and returns it
   * if this call created it. If the call is aborted or times out, the client searches for a pod that the runtime created in the
   * meantime, and removes it. The search can take 3.5 seconds beyond the time limit, and the removal up to 15 seconds. The runtime
   * may create the pod even later. A later call with the same `uid` then finds it; without a `uid`, every call creates another pod.
   *
   * @throws NameReservedError if another pod has the name, namespace, uid and attempt
   * @throws InvalidInputError, CriError
   */
  async run(spec: PodInput, options?: RunPodOptions): Promise<OwnedPodSandbox> {
    return new OwnedPodSandbox(this.#context, await runPod(this.#context.connection, spec, options));
  }

  /**
   * Restores a pod and its containers from an archive (RestorePod). Returns the owning handle of the pod and the ids of its
   * containers by name. Since Kubernetes 1.37 (alpha; no released runtime implements it).
   *
   * @experimental
   */
  async restore(
    spec: PodSpec,
    options: PodRestoreOptions,
  ): Promise<{ pod: OwnedPodSandbox; restoredContainers: RestoredContainer[] }> {
    const { made, restoredContainers } = await restorePod(this.#context.connection, spec, options);
    return { pod: new OwnedPodSandbox(this.#context, made), restoredContainers };
  }

  /**
   * Returns a borrowed handle of a pod, by its id or by an object with the id, such as an entry of {@link list}. Does no I/O: a
   * wrong id fails on the first call.
   */
  get(pod: PodTarget): PodSandbox {
    return new PodSandbox(this.#context, idOf(pod, "id", "pod"));
  }

  /** Lists the pods of the node. The list is streamed if the runtime supports it (since Kubernetes 1.36). */
  async list(filter: PodFilter = {}, options?: CallOptions): Promise<PodSandboxMessage[]> {
    return listPods(this.#context.connection, filter, options);
  }

  /**
   * Streams the pods of {@link list} one by one, and keeps none of them. Its limits and errors are those of `containers.iterate`.
   *
   * @throws InvalidInputError at once, for an invalid filter or option
   */
  iterate(filter: PodFilter = {}, options?: CallOptions): CriStream<PodSandboxMessage> {
    return iteratePods(this.#context.connection, filter, options);
  }

  /**
   * Finds one pod by a filter of {@link list} with at least one field. Returns a borrowed handle of its latest attempt. If several
   * uids match, returns the highest attempt of the newest uid. Returns `undefined` if no pod matches.
   *
   * ```ts
   * const pod = await cri.pods.find({ name: "web", namespace: "default" });
   * ```
   *
   * @throws CriError `FAILED_PRECONDITION` if pods with different names or namespaces match
   * @throws InvalidInputError for a filter that selects everything
   */
  async find(filter: PodFilter, options?: CallOptions): Promise<PodSandbox | undefined> {
    const id = await findPod(this.#context.connection, filter, options);
    return id === undefined ? undefined : new PodSandbox(this.#context, id);
  }

  /**
   * Finds the pod that a person names, for example on a command line. Returns a borrowed handle. The name may be an id, a name
   * (`POD` or `NAMESPACE/POD`), or the beginning of an id that no other pod has. Of several pods with the name, those that are
   * ready come first; of several attempts, the latest.
   *
   * @throws CriError `NOT_FOUND`, with a similar name or the names that exist; `FAILED_PRECONDITION` if the name is ambiguous, with
   *   the candidates
   */
  async resolve(name: string, options?: ResolveOptions): Promise<PodSandbox> {
    const { id } = await resolve(this.#context.connection, name, ["pod"], options);
    return new PodSandbox(this.#context, id);
  }

  /**
   * Stops a pod with its containers, by default with SIGKILL at once, and removes it, as `remove` of its handle does. Succeeds if
   * the pod does not exist.
   */
  async remove(pod: PodTarget, options?: RemoveOptions): Promise<void> {
    await new PodSandbox(this.#context, idOf(pod, "pod")).remove(options);
  }

  /**
   * Removes pod sandboxes that are not ready and have no containers, as a kubelet's garbage collection does. Of a pod that is not
   * gone (`isGone`), it keeps the newest sandbox. Call `containers.prune` first, so that exited containers do not keep their pods.
   *
   * It leaves pods alone that a kubelet created (unless `includeKubelet` is set), and those of the last two minutes (`minAgeMs`).
   *
   * ```ts
   * await cri.containers.prune({ namespace: "batch" });
   * const { removed, kept } = await cri.pods.prune({ namespace: "batch" });
   * ```
   *
   * @returns the removed sandboxes, in `failed` those that the runtime refused to remove, and in `kept` the others with the reason
   * @throws CriError if pods or containers cannot be listed, or at the time limit
   */
  async prune(options?: PrunePodsOptions): Promise<PrunedPods> {
    return prunePods(this.#context.connection, options);
  }

  /**
   * Removes the logs of pods and containers that do not exist any more, as a kubelet does: below `root`, the directories
   * `<namespace>_<name>_<uid>` of pods that the runtime does not list. In the directories of other pods, the files
   * `<container>/<attempt>.log` and `<container>.<attempt>.log` of containers that it does not list. It ignores everything with
   * another name, and never follows symbolic links below `root`.
   *
   * Pods of another runtime on the same machine need another root: their logs would be removed.
   *
   * ```ts
   * await cri.pods.pruneLogs("/var/log/pods", { links: "/var/log/containers" });
   * ```
   *
   * @throws CriError `FAILED_PRECONDITION` if the runtime is not on this machine
   * @throws the error of `node:fs` if the root cannot be read; errors of single files are in `failed`
   */
  async pruneLogs(root: string, options?: PruneLogsOptions): Promise<PrunedLogs> {
    return pruneLogs(this.#context.connection, root, options);
  }
}
