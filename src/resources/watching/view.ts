import { onAbort } from "../../internal/abort.js";
import type { StreamLimits, WatchSource } from "../../options.js";
import type { Container, PodSandbox } from "../../proto.js";
import { streamLimit } from "../../rpcs/budget.js";
import { type ContainerFilter, containerMatcher } from "../container-filter.js";
import { type PodFilter, podMatcher } from "../pod-filter.js";
import type { CriEvent, CriEventOf, NodeState } from "./event.js";
import { isOver } from "./watch-member.js";
import type { Watcher } from "./watcher.js";

/** Options of `cri.watch`. */
export interface WatchOptions extends StreamLimits {
  /**
   * Keep trying when the runtime does not answer at the beginning, until the view is closed. By default the view ends then. Once it
   * has begun, it survives every outage. @defaultValue false
   */
  waitForRuntime?: boolean | undefined;
  /** Ends the view, as `close()` does. If it has aborted already, the view is over from the start and `ready` rejects. */
  signal?: AbortSignal | undefined;
}

/**
 * The pods and containers of a node, kept in memory and up to date, as `cri.watch()` returns it. It goes on when the runtime was
 * away; meanwhile it shows what was there before.
 *
 * ```ts
 * await using view = cri.watch();
 * view.on("containerExited", ({ container, exitCode }) => …);
 * await view.ready;
 * view.findContainers({ state: "running", labels: { app: "web" } });
 * ```
 */
export class NodeView implements NodeState, AsyncDisposable {
  /** Resolves when everything that is on the node is in the view. Rejects with a CriError if the runtime does not answer. */
  readonly ready: Promise<void>;
  /**
   * Resolves when the view ends, however it does: by {@link close}, its signal or its time limit, with the client, or because the
   * runtime did not answer at the beginning. Pods and containers stay as they were last known. Never rejects.
   */
  readonly closed: Promise<void>;
  readonly #watcher: Watcher;
  readonly #close: (reason: unknown) => void;
  readonly #listeners = new Map<CriEvent["type"], Set<(event: never) => void>>();
  #state: NodeState = { pods: new Map(), containers: new Map() };
  /** The containers of each pod in the present state, made when it is first asked for. */
  #byPod: Map<string, Container[]> | undefined;

  /** @internal */
  constructor(watcher: Watcher, options: WatchOptions = {}) {
    const { signal = watcher.connection.signal, waitForRuntime = false } = options;
    const limit = streamLimit(watcher.connection, options);
    this.#watcher = watcher;
    let settle = { resolve() {}, reject(_: unknown) {} };
    this.ready = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.ready.catch(() => {});
    let resolveClosed = () => {};
    this.closed = new Promise((resolve) => {
      resolveClosed = resolve;
    });
    let leave = () => {};
    let unlisten = () => {};
    let stopLimit: (() => void) | undefined;
    this.#close = (reason) => {
      stopLimit?.();
      unlisten();
      leave();
      settle.reject(reason);
      resolveClosed();
    };
    const end = watcher.endFor(signal);
    if (end) {
      this.#close(end.reason);
      return;
    }
    leave = watcher.join({
      changed: (events, state) => {
        this.#state = state;
        this.#byPod = undefined;
        settle.resolve();
        for (const event of events) this.#tell(event);
      },
      failed: (reason) => {
        if (!waitForRuntime || isOver(reason)) this.#close(reason);
      },
    });
    stopLimit = limit?.((reason) => this.#close(reason));
    if (signal) unlisten = onAbort(signal, () => this.#close(signal.reason));
  }

  /** Pods by id. The map is not changed: an event makes a new one. */
  get pods(): ReadonlyMap<string, PodSandbox> {
    return this.#state.pods;
  }

  /** Containers by id. The map is not changed: an event makes a new one. */
  get containers(): ReadonlyMap<string, Container> {
    return this.#state.containers;
  }

  /** Where the events come from; undefined as long as that is not known. */
  get source(): WatchSource | undefined {
    return this.#watcher.source;
  }

  /** The pods that match everything in the filter, which is that of `pods.list`. */
  findPods(filter: PodFilter = {}): PodSandbox[] {
    return [...this.pods.values()].filter(podMatcher(filter));
  }

  /** The containers that match everything in the filter, which is that of `containers.list`. */
  findContainers(filter: ContainerFilter = {}): Container[] {
    return [...this.containers.values()].filter(containerMatcher(filter));
  }

  /** The containers of a pod, by its id. */
  containersOf(podId: string): readonly Container[] {
    if (!this.#byPod) {
      this.#byPod = new Map();
      for (const container of this.containers.values()) {
        const siblings = this.#byPod.get(container.podSandboxId);
        if (siblings) siblings.push(container);
        else this.#byPod.set(container.podSandboxId, [container]);
      }
    }
    return this.#byPod.get(podId) ?? [];
  }

  /**
   * Calls back with every event of a type from now on; the view is up to date already then. What is there at the beginning
   * comes as one `resync`, not as additions. Returns the function that ends it. An error that a listener throws is an uncaught
   * exception.
   */
  on<Type extends CriEvent["type"]>(type: Type, listener: (event: CriEventOf<Type>) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    // One of its own for every call, so that the same function can be given twice.
    const entry = (event: never) => listener(event);
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  /** Ends the view. It keeps what it showed last. */
  async close(): Promise<void> {
    this.#close(new DOMException("The view was closed.", "AbortError"));
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tell(event: CriEvent): void {
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) {
      try {
        listener(event as never);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
