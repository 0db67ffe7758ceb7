import type { CriStream } from "../internal/stream.js";
import type { CallOptions } from "../options.js";
import type { Container as ContainerMessage } from "../proto.js";
import { Container, OwnedContainer } from "./container.js";
import type { ContainerFilter } from "./container-filter.js";
import type { ClientContext } from "./context.js";
import { type CreateContainerOptions, createContainer } from "./creation/create-container.js";
import type { ContainerInput } from "./creation/message-input.js";
import { runContainer } from "./creation/run-container.js";
import { iterateContainers, listMatchingContainers } from "./filtered-list.js";
import { findContainer } from "./find.js";
import { findContainerByPid } from "./find-by-pid.js";
import { type PruneContainersOptions, type PrunedContainers, pruneContainers } from "./pruning/prune-containers.js";
import { type ResolveOptions, resolve } from "./resolving/resolve.js";
import type { RemoveOptions } from "./stopping.js";
import { type ContainerTarget, idOf, type PodTarget } from "./target.js";

/**
 * The containers of a node: `cri.containers`. Creates, finds, lists and removes containers; all other operations on one container
 * are methods of its handle, which {@link get} returns without I/O.
 *
 * All methods reject with {@link CriError}, with {@link InvalidInputError} before any I/O when an argument is invalid, and with the
 * signal's reason when they are cancelled.
 */
export class Containers {
  readonly #context: ClientContext;

  /** @internal */
  constructor(context: ClientContext) {
    this.#context = context;
  }

  /**
   * Creates a container in a pod: pulls its image by the pull policy, then calls CreateContainer. The container is not started.
   * Takes a spec, or a ContainerConfig of `k8s-cri-client/proto`, which it sends with the annotations of this package added.
   *
   * A lost reply does not lead to a second container: the client searches for the container by its name and attempt in the pod, and
   * returns it if this call created it. If the call is aborted or times out, the client searches for a container that the runtime
   * created in the meantime, and removes it. The search can take 3.5 seconds beyond the time limit, and the removal up to 15
   * seconds. A pulled image stays.
   *
   * @throws NameReservedError if another container of the pod has the name and attempt
   * @throws ImagePullError, InvalidInputError, CriError
   */
  async create(pod: PodTarget, spec: ContainerInput, options?: CreateContainerOptions): Promise<OwnedContainer> {
    const context = this.#context;
    return new OwnedContainer(context, await createContainer(context.connection, pod, spec, options));
  }

  /**
   * Creates a container as {@link create} does, and starts it. Removes a created container that does not start; errors of the
   * removal are in the error's `suppressed`.
   *
   * @throws as {@link create}
   */
  async run(pod: PodTarget, spec: ContainerInput, options?: CreateContainerOptions): Promise<OwnedContainer> {
    const context = this.#context;
    return new OwnedContainer(context, await runContainer(context.connection, pod, spec, options));
  }

  /**
   * Returns a borrowed handle of a container, by its id or by an object with the id, such as an entry of {@link list}. Does no I/O:
   * a wrong id fails on the first call.
   */
  get(container: ContainerTarget): Container {
    return new Container(this.#context, idOf(container, "id", "container"));
  }

  /** Lists the containers of the node. The list is streamed if the runtime supports it (since Kubernetes 1.36). */
  async list(filter: ContainerFilter = {}, options?: CallOptions): Promise<ContainerMessage[]> {
    return listMatchingContainers(this.#context.connection, filter, options);
  }

  /**
   * Streams the containers of {@link list} one by one, and keeps none of them. Prefer it for thousands of containers: the garbage
   * collector then moves only a few live objects at a time, so the event loop has no long delays. The first read makes the call.
   * `batches()` of the stream is faster.
   *
   * The client decodes a part of the reply when you have read the part before it. The time limit ends when the reply has arrived, so
   * you can take as long as you like. A runtime that streams the list (since Kubernetes 1.36) sends it as you read it: then, the
   * limit applies to all of it.
   *
   * Unlike a list, it can fail after the first containers: if a streamed list breaks midway, it throws `UNAVAILABLE` and does not
   * start over. With middleware of your own, the client decodes each message as a whole.
   *
   * ```ts
   * for await (const { id, metadata } of cri.containers.iterate({ state: "running" })) console.log(id, metadata?.name);
   * ```
   *
   * @throws InvalidInputError at once, for an invalid filter or option
   */
  iterate(filter: ContainerFilter = {}, options?: CallOptions): CriStream<ContainerMessage> {
    return iterateContainers(this.#context.connection, filter, options);
  }

  /**
   * Finds one container by a filter of {@link list} with at least one field. Returns a borrowed handle of its latest attempt,
   * in the latest attempt of its pod. Returns `undefined` if no container matches.
   *
   * ```ts
   * const web = await cri.containers.find({ name: "web", labels: { app: "shop" } });
   * ```
   *
   * @throws CriError `FAILED_PRECONDITION` if containers with different names, or of different pods, match
   * @throws InvalidInputError for a filter that selects everything
   */
  async find(filter: ContainerFilter, options?: CallOptions): Promise<Container | undefined> {
    const id = await findContainer(this.#context.connection, filter, options);
    return id === undefined ? undefined : new Container(this.#context, id);
  }

  /**
   * Finds the container that a person names, for example on a command line. Returns a borrowed handle. The name may be:
   * - an id
   * - a name: `CONTAINER`, `POD/CONTAINER` or `NAMESPACE/POD/CONTAINER`; the pod may also be the beginning of its id
   * - the beginning of an id that no other container has
   * - the name, the id or the beginning of the id of a pod with only one container
   *
   * Of several containers with the name, those that run come first; of several attempts, the latest.
   *
   * ```ts
   * const container = await cri.containers.resolve(process.argv[2] ?? "web");
   * ```
   *
   * @throws CriError `NOT_FOUND`, with a similar name or the names that exist; `FAILED_PRECONDITION` if the name is ambiguous, with
   *   the candidates
   */
  async resolve(name: string, options?: ResolveOptions): Promise<Container> {
    const { id } = await resolve(this.#context.connection, name, ["container"], options);
    return new Container(this.#context, id);
  }

  /**
   * Finds the container that a process of this machine runs in, by its process id in the pid namespace of this program. Finds the
   * main process, its descendants, and processes that were started by exec. Returns `undefined` for a process outside of this
   * runtime's containers, for the pause process of a pod, and if there is no such process.
   *
   * Reads the container's id from the control groups of the process (`/proc/<pid>/cgroup`, v1 or v2) and looks it up in the
   * runtime's list. Where control groups contain no ids, compares the process and its ancestors with the main processes of the
   * running containers, as the runtime reports them. This does not find processes that were started by exec.
   *
   * @throws CriError `FAILED_PRECONDITION` unless this is Linux, with `/proc`, and the endpoint is a Unix socket;
   *   `PERMISSION_DENIED` if `/proc` hides the processes of other users
   * @throws InvalidInputError for a pid that is not a positive whole number
   */
  async findByPid(pid: number, options?: CallOptions): Promise<Container | undefined> {
    const id = await findContainerByPid(this.#context.connection, pid, options);
    return id === undefined ? undefined : new Container(this.#context, id);
  }

  /**
   * Stops a container, by default with SIGKILL at once, and removes it, as `remove` of its handle does. Succeeds if the container
   * does not exist.
   */
  async remove(container: ContainerTarget, options?: RemoveOptions): Promise<void> {
    await new Container(this.#context, idOf(container, "container")).remove(options);
  }

  /**
   * Removes exited containers by age and number, as a kubelet's garbage collection does: all of a pod that is gone (`isGone`), else
   * all but the newest of each name (`maxPerContainer`), and the oldest beyond `maxContainers`. Never removes the latest attempt of
   * a container whose pod is not gone. Their logs stay: see `pods.pruneLogs`.
   *
   * It leaves containers alone that a kubelet created (unless `includeKubelet` is set), and those of the last two minutes
   * (`minAgeMs`).
   *
   * ```ts
   * await cri.containers.prune({ minAgeMs: 3_600_000, maxPerContainer: 3, maxContainers: 100 });
   * ```
   *
   * @returns the removed containers, in `failed` those that the runtime refused to remove, and in `kept` the others with the reason
   * @throws CriError if containers or pods cannot be listed, or at the time limit
   */
  async prune(options?: PruneContainersOptions): Promise<PrunedContainers> {
    return pruneContainers(this.#context.connection, options);
  }
}
