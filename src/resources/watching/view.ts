import { onAbort } from "../../internal/abort.js";
import type { StreamLimits, WatchSource } from "../../options.js";
import type { Container, PodSandbox } from "../../proto.js";
import { streamLimit } from "../../rpcs/budget.js";
import { type ContainerFilter, containerMatcher } from "../container-filter.js";
import { type PodFilter, podMatcher } from "../pod-filter.js";
import type { CriEvent, CriEventOf, NodeState } from "./event.js";
import { endsWatch } from "./watch-member.js";
import type { Watcher } from "./watcher.js";

/** Options of `cri.watch`. */
export interface WatchOptions extends StreamLimits {
  /**
   * Keep retrying if the runtime is unavailable at the beginning, until the view is closed. By default the view ends in this case.
   * After the first relist it survives every outage. @defaultValue false
   */
  waitForRuntime?: boolean | undefined;
  /** Ends the view, as `close()` does. If the signal has aborted already, the view is closed from the start and `ready` rejects. */
  signal?: AbortSignal | undefined;
}

/**
 * The pods and containers of a node, kept in memory and up to date, as `cri.watch()` returns them. While the runtime is down, the
 * view keeps its last state; it catches up when the runtime is back.
 *
 * ```ts
 * await using view = cri.watch();
 * view.on("containerExited", ({ container, exitCode }) => …);
 * await view.ready;
 * view.findContainers({ state: "running", labels: { app: "web" } });
 * ```
 */
export class NodeView implements NodeState, AsyncDisposable {
  /** Resolves when the view contains everything on the node. Rejects with a CriError if the runtime is unavailable. */
  readonly ready: Promise<void>;
  /**
   * Resolves when the view ends: by {@link close}, its signal, its time limit, closing the client, or because the runtime was
   * unavailable at the beginning. The pods and containers of the last state stay available. Never rejects.
   */
  readonly closed: Promise<void>;
  readonly #watcher: Watcher;
  readonly #close: (reason: unknown) => void;
  readonly #listeners = new Map<CriEvent["type"], Set<(event: never) => void>>();
  #state: NodeState = { pods: new Map(), containers: new Map() };
  /** The containers of each pod in the present state; computed at the first use. */
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
        for (const event of events) this.#emit(event);
      },
      failed: (reason) => {
        if (!waitForRuntime || endsWatch(reason)) this.#close(reason);
      },
    });
    stopLimit = limit?.((reason) => this.#close(reason));
    if (signal) unlisten = onAbort(signal, () => this.#close(signal.reason));
  }

  /** Pods by id. Each change creates a new map; the old one stays as it was. */
  get pods(): ReadonlyMap<string, PodSandbox> {
    return this.#state.pods;
  }

  /** Containers by id. Each change creates a new map; the old one stays as it was. */
  get containers(): ReadonlyMap<string, Container> {
    return this.#state.containers;
  }

  /** Whether changes are detected by the runtime's events or by lists only; `undefined` until that is known. */
  get source(): WatchSource | undefined {
    return this.#watcher.source;
  }

  /** Returns the pods that match everything in the filter, which is the same as for `pods.list`. */
  findPods(filter: PodFilter = {}): PodSandbox[] {
    return [...this.pods.values()].filter(podMatcher(filter));
  }

  /** Returns the containers that match everything in the filter, which is the same as for `containers.list`. */
  findContainers(filter: ContainerFilter = {}): Container[] {
    return [...this.containers.values()].filter(containerMatcher(filter));
  }

  /** Returns the containers of the pod with this id. */
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
   * Calls `listener` with every later event of a type, after the view has been updated. The state at the beginning is one `resync`,
   * not additions. An error thrown by a listener becomes an uncaught exception.
   *
   * @returns a function that removes the listener
   */
  on<Type extends CriEvent["type"]>(type: Type, listener: (event: CriEventOf<Type>) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    // A new function for every call, so that the same listener can be registered twice.
    const entry = (event: never) => listener(event);
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  /** Ends the view. It keeps its last state. */
  async close(): Promise<void> {
    this.#close(new DOMException("The view was closed.", "AbortError"));
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #emit(event: CriEvent): void {
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
