import { CriError, EndpointError, type TriedEndpoint } from "./errors.js";
import { callOptionFields, checkOptions, checkTimeout } from "./input/call-options.js";
import { checkConnectOptions, checkDerivedDefaults } from "./input/connect-options.js";
import type { LogStream } from "./logs/log-stream.js";
import { type CallOptions, type ConnectOptions, type DerivedDefaults, defaultConnectTimeoutMs } from "./options.js";
import type {
  ImageServiceClient,
  RuntimeConfig,
  RuntimeConfigResponse,
  RuntimeServiceClient,
  StatusResponse,
  VersionResponse,
} from "./proto.js";
import { ImageServiceDefinition, RuntimeServiceDefinition } from "./proto.js";
import { findCapabilities, type RuntimeCapabilities } from "./resources/capabilities.js";
import type { Container, OwnedContainer } from "./resources/container.js";
import { Containers } from "./resources/containers.js";
import { type ClientContext, contextOfClient, createContext } from "./resources/context.js";
import type { CreateContainerOptions } from "./resources/creation/create-container.js";
import type { ContainerInput } from "./resources/creation/message-input.js";
import { Images } from "./resources/images.js";
import type { LogQuery } from "./resources/logs/log-query.js";
import type { MergedLogBytesEntry, MergedLogEntry } from "./resources/logs/merged-log-entry.js";
import type { MergedLogOptions } from "./resources/logs/merged-log-options.js";
import { mergedLogs } from "./resources/logs/merged-logs.js";
import type { PodSandbox } from "./resources/pod.js";
import { Pods } from "./resources/pods.js";
import { type ResolveAllOptions, type ResolveOptions, resolve, resolveAll } from "./resources/resolving/resolve.js";
import { Stats } from "./resources/stats.js";
import type { PodTarget } from "./resources/target.js";
import { EventStream, type EventsOptions } from "./resources/watching/event-stream.js";
import { NodeView, type WatchOptions } from "./resources/watching/view.js";
import { type StatusOf, type WaitTarget, waitFor } from "./resources/watching/wait-for.js";
import { pinDeadline } from "./rpcs/budget.js";
import { checkedStubs } from "./rpcs/checked-request.js";
import * as rpcs from "./rpcs/runtime.js";
import { Connection } from "./transport/connection.js";
import { discoverEndpoints } from "./transport/discovery.js";
import { bothEndpoints, parseGiven } from "./transport/endpoints.js";
import { explainDenied } from "./transport/socket-access.js";
import type { RawCallExtension } from "./transport/wire-options.js";

/**
 * The generated stubs of both services. A value of a wrong type in a request causes an `InvalidInputError` that names the field,
 * before any I/O.
 */
export interface RawClients {
  /** RuntimeService. */
  readonly runtime: RuntimeServiceClient<RawCallExtension>;
  /** ImageService. */
  readonly image: ImageServiceClient<RawCallExtension>;
}

const statusFields = { verbose: true, ...callOptionFields } as const;
const waitForReadyFields = { network: true, ...callOptionFields } as const;

/**
 * A client of one container runtime. One client can serve a whole program. It reconnects by itself after an outage of the runtime.
 *
 * ```ts
 * await using cri = await CriClient.connect();
 * await using pod = await cri.pods.run({ name: "demo" });
 * ```
 */
export class CriClient implements AsyncDisposable {
  /** Pod sandboxes: run, get, find, list, remove. */
  readonly pods: Pods;
  /** Containers: create, run, get, find, list, remove. */
  readonly containers: Containers;
  /** Images: pull, get, list, remove, disk usage. */
  readonly images: Images;
  /** Resource usage of pods and containers. */
  readonly stats: Stats;
  /**
   * The generated nice-grpc stubs of all 43 RPCs, with the same channel, deadlines, retries and middleware.
   *
   * Unlike the methods of this client, the stubs reject with nice-grpc's `ClientError`. They do not verify replies, and do not
   * reconcile RunPodSandbox and CreateContainer. Stopping or removing an object that does not exist may reject with NOT_FOUND.
   * Their options are those of nice-grpc (`metadata` is a `Metadata`), plus `timeoutMs`, `deadline` and `retry`.
   */
  readonly raw: RawClients;
  readonly #connection: Connection;
  readonly #context: ClientContext;

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#context = createContext(connection);
    this.pods = new Pods(this.#context);
    this.containers = new Containers(this.#context);
    this.images = new Images(connection);
    this.stats = new Stats(connection);
    this.raw = {
      runtime: checkedStubs(connection.runtime, RuntimeServiceDefinition),
      image: checkedStubs(connection.image, ImageServiceDefinition),
    };
  }

  /**
   * Connects to a runtime, and verifies with the RPC Version that it serves CRI v1. If the image service has an endpoint of its
   * own, the RPC ImageFsInfo verifies that, too.
   *
   * @throws EndpointError `NO_ENDPOINT` if discovery finds no runtime, `UNAVAILABLE` if nothing answers, `UNIMPLEMENTED` if the
   *   server does not serve CRI v1. The message contains the remedy.
   * @throws InvalidInputError for an invalid endpoint or option
   */
  static async connect(options: ConnectOptions = {}): Promise<CriClient> {
    checkConnectOptions(options);
    const { signal, allowInsecureTcp, logger, connectTimeoutMs = defaultConnectTimeoutMs } = options;
    checkTimeout(connectTimeoutMs, "connectTimeoutMs");
    const callOptions = pinDeadline({ timeoutMs: connectTimeoutMs, signal });
    signal?.throwIfAborted();
    const given = parseGiven(options);
    // The first socket that accepts connections may use up all of the time: the next one in the list would be another runtime.
    const probeTimeoutMs = connectTimeoutMs || undefined;
    const found = given.endpoint
      ? undefined
      : await discoverEndpoints({ allowInsecureTcp, signal, logger, probeTimeoutMs }, given.imageEndpoint);
    const client = new CriClient(new Connection({ ...options, ...bothEndpoints(options, given, found) }));
    try {
      await client.#verify(callOptions, found?.tried ?? []);
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Returns a client of a known endpoint. Does no I/O until the first call. */
  static lazy(options: ConnectOptions & { endpoint: string }): CriClient {
    checkConnectOptions(options);
    const given: ConnectOptions = options ?? {};
    return new CriClient(new Connection({ ...given, ...bothEndpoints(given, parseGiven(given)) }));
  }

  /** @internal For the entry points that build on this one. A getter, so that `console.log` does not show credentials. */
  get [contextOfClient](): ClientContext {
    return this.#context;
  }

  /** The runtime's endpoint in its canonical spelling, such as `unix:///run/containerd/containerd.sock`. */
  get endpoint(): string {
    return this.#connection.endpoint;
  }

  /** The image service's endpoint; the same as {@link endpoint} unless another one was given. */
  get imageEndpoint(): string {
    return this.#connection.imageEndpoint;
  }

  /**
   * Creates a container in a pod, as `containers.create` does: pulls its image by the pull policy, then calls CreateContainer. The
   * container is not started.
   *
   * @throws ImagePullError, NameReservedError, InvalidInputError, CriError
   */
  createContainerInSandbox(
    pod: PodTarget,
    spec: ContainerInput,
    options?: CreateContainerOptions,
  ): Promise<OwnedContainer> {
    return this.containers.create(pod, spec, options);
  }

  /**
   * Creates a container as {@link createContainerInSandbox} does, and starts it, as `containers.run` does. A container that does
   * not start is removed.
   *
   * @throws ImagePullError, NameReservedError, InvalidInputError, CriError
   */
  runContainerInSandbox(
    pod: PodTarget,
    spec: ContainerInput,
    options?: CreateContainerOptions,
  ): Promise<OwnedContainer> {
    return this.containers.run(pod, spec, options);
  }

  /** Returns the names and versions of the runtime and of its CRI (Version). */
  version(options?: CallOptions): Promise<VersionResponse> {
    return rpcs.version(this.#connection, options);
  }

  /**
   * Returns the status of the runtime (Status): conditions such as `RuntimeReady` and `NetworkReady`, runtime handlers and
   * features. With `verbose`, also the runtime's diagnostics.
   */
  async status(options: CallOptions & { verbose?: boolean | undefined } = {}): Promise<StatusResponse> {
    checkOptions(options, statusFields);
    const { verbose = false, ...callOptions } = options;
    return rpcs.status(this.#connection, verbose, callOptions);
  }

  /** Returns the configuration of the runtime, which is its cgroup driver (RuntimeConfig). Since Kubernetes 1.28. */
  runtimeConfig(options?: CallOptions): Promise<RuntimeConfigResponse> {
    return rpcs.runtimeConfig(this.#connection, options);
  }

  /** Sets the pod CIDR of the node (UpdateRuntimeConfig). */
  updateRuntimeConfig(config: Partial<RuntimeConfig>, options?: CallOptions): Promise<void> {
    return rpcs.updateRuntimeConfig(this.#connection, config, options);
  }

  /** Returns which optional features the runtime supports. Calls the runtime each time. */
  capabilities(options?: CallOptions): Promise<RuntimeCapabilities> {
    return findCapabilities(this.#connection, options);
  }

  /**
   * Waits until the runtime reports that it is ready to run containers, for example after a restart or at boot. With `network:
   * true`, also until its network is ready. Without `timeoutMs`, `deadline` or `signal` it waits indefinitely.
   */
  async waitForReady(options: CallOptions & { network?: boolean | undefined } = {}): Promise<void> {
    checkOptions(options, waitForReadyFields);
    const { network = false, ...callOptions } = options;
    await rpcs.waitForReady(this.#connection, network, callOptions);
  }

  /**
   * Finds the pod or container that a person names, as `pods.resolve` and `containers.resolve` do. Returns a borrowed handle, whose
   * `kind` says which of both it is. The name of a pod stands for the pod, even if it has only one container.
   *
   * @throws CriError `NOT_FOUND`, with a similar name or the names that exist; `FAILED_PRECONDITION` if the name is ambiguous, with
   *   the candidates
   */
  async resolve(name: string, options?: ResolveOptions): Promise<PodSandbox | Container> {
    return this.#handle(await resolve(this.#connection, name, ["pod", "container"], options));
  }

  /**
   * Finds the pods and containers that a person names, as {@link resolve} does, with one list of pods and one of containers. Returns
   * a borrowed handle for each name, in the order of the names. With `kind: "container"`, the name of a pod stands for its only
   * container, as in `containers.resolve`.
   *
   * ```ts
   * for (const object of await cri.resolveAll(process.argv.slice(2))) await object.stop();
   * ```
   *
   * @throws the errors of {@link resolve}, for the first name that cannot be resolved
   */
  async resolveAll(names: readonly string[], options?: ResolveAllOptions): Promise<(PodSandbox | Container)[]> {
    return (await resolveAll(this.#connection, names, options)).map((found) => this.#handle(found));
  }

  #handle({ kind, id }: { kind: "pod" | "container"; id: string }): PodSandbox | Container {
    return kind === "pod" ? this.pods.get(id) : this.containers.get(id);
  }

  /**
   * Streams the logs of several containers in the order of their timestamps, for example of the pods with certain labels. With
   * `follow: "forever"`, the stream also contains new pods, containers and attempts, until you close it. The query may match
   * nothing at first. An array of queries selects the containers that match any of them.
   *
   * ```ts
   * const logs = cri.logs({ podLabels: { app: "web" } }, { follow: "forever" });
   * for await (const { container, text } of logs) console.log(container, text);
   * ```
   *
   * @throws InvalidInputError for an invalid query or option
   */
  logs(
    query: LogQuery | readonly LogQuery[] | undefined,
    options: MergedLogOptions & { encoding: "buffer" },
  ): LogStream<MergedLogBytesEntry>;
  logs(
    query?: LogQuery | readonly LogQuery[],
    options?: MergedLogOptions & { encoding?: "utf8" | undefined },
  ): LogStream<MergedLogEntry>;
  logs(
    query?: LogQuery | readonly LogQuery[],
    options?: MergedLogOptions,
  ): LogStream<MergedLogEntry> | LogStream<MergedLogBytesEntry>;
  logs(
    query?: LogQuery | readonly LogQuery[],
    options?: MergedLogOptions,
  ): LogStream<MergedLogEntry | MergedLogBytesEntry> {
    return mergedLogs(this.#context, query, options);
  }

  /**
   * Streams the changes of pods and containers on the node as typed events, each exactly once. The stream survives restarts of the
   * runtime. With `labels`, `pod` or `namespace`, it contains only the selected pods and their containers.
   *
   * The client detects changes by GetContainerEvents on containerd 2 and newer and on CRI-O with pod events. On other runtimes it
   * polls lists, and does not detect a container that was created and removed between two polls. The stream's `source` is `events`
   * or `list`. {@link ConnectOptions.watch} has the settings.
   *
   * ```ts
   * for await (const event of cri.events({ labels: { app: "web" } })) {
   *   if (event.type === "containerExited") console.log(event.exitCode);
   * }
   * ```
   *
   * @throws InvalidInputError for invalid options
   */
  events(options?: EventsOptions): EventStream {
    return new EventStream(this.#context.watcher, options);
  }

  /**
   * Keeps the pods and containers of the node in memory and up to date, and calls listeners after changes. It detects changes as
   * {@link events} does, and takes the same filter. Close the view, or dispose of it, when you no longer need it.
   *
   * @throws InvalidInputError for invalid options
   */
  watch(options?: WatchOptions): NodeView {
    return new NodeView(this.#context.watcher, options);
  }

  /**
   * Waits until the status of a pod or container satisfies `wanted`, and resolves with this status. The client fetches the status
   * at the beginning, after each event about the object, and every {@link WatchSettings.relistMs} (10 seconds), because some
   * changes cause no event.
   *
   * Without `timeoutMs`, `deadline` or `signal` it waits indefinitely, even while the runtime is down. The runtime must be
   * available at the beginning.
   *
   * ```ts
   * await cri.waitFor(container, ({ state }) => state === ContainerState.CONTAINER_RUNNING, { timeoutMs: 10_000 });
   * ```
   *
   * @throws CriError `NOT_FOUND` if the object does not exist, or is removed before its status satisfies `wanted`;
   *   `DEADLINE_EXCEEDED` with the last known state in its message; `UNAVAILABLE` if the runtime is down at the beginning
   */
  waitFor<Target extends WaitTarget>(
    target: Target,
    wanted: (status: StatusOf<Target>) => boolean,
    options?: CallOptions,
  ): Promise<StatusOf<Target>> {
    return waitFor(this.#context, target, wanted, options);
  }

  /**
   * Returns a client with other defaults over the same connection. Closing it ends only its own calls. Closing this client ends
   * both. With a `signal`, aborting it cancels all calls, sessions and streams of the new client: `cri.with({ signal })`.
   */
  with(defaults: DerivedDefaults): CriClient {
    checkDerivedDefaults(defaults);
    return new CriClient(this.#connection.derive(defaults ?? {}));
  }

  /**
   * Closes the connection. Calls in progress reject with `CLIENT_CLOSED`. Pods and containers stay on the node. If the commands of
   * aborted sessions are still being killed (`killOnAbort`), it waits for that, up to 15 seconds.
   */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #verify(callOptions: CallOptions, tried: readonly TriedEndpoint[]): Promise<void> {
    try {
      await rpcs.version(this.#connection, callOptions);
      if (this.imageEndpoint !== this.endpoint) await this.images.fsInfo(callOptions);
    } catch (error) {
      if (!CriError.is(error)) throw error;
      const { code, method, endpoint, attempts, details } = error;
      const { endpoint: runtime, imageEndpoint: image } = this.#connection.options;
      const socket = method?.startsWith("ImageService/") ? image : runtime;
      const denied = socket.kind === "unix" && /\b(EACCES|EPERM)\b/.test(details);
      const message = `cannot talk CRI v1 to this endpoint: ${denied ? await explainDenied(socket.path) : details}`;
      throw new EndpointError({ code, message, method, endpoint, attempts, tried, cause: error });
    }
  }
}
