import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { invalid, oneOf } from "../../input/check.js";
import { NoLongerNeeded, onAbort } from "../../internal/abort.js";
import type { StreamLimits, WatchSource } from "../../options.js";
import type { Container, PodSandbox } from "../../proto.js";
import { streamLimit } from "../../rpcs/budget.js";
import { type ContainerFilter, containerMatcher } from "../container-filter.js";
import { type PodFilter, podMatcher } from "../pod-filter.js";
import type { CriEvent, CriEventOf, NodeState } from "./event.js";
import { type NodeFilter, nodeFilterFields, subscriberFilter } from "./node-filter.js";
import { endsWatch, type Subscriber } from "./subscriber.js";
import type { Watcher } from "./watcher.js";

/** Options of `cri.watch`. With a filter, the view contains only the selected pods and their containers. */
export interface WatchOptions extends NodeFilter, StreamLimits {
  /**
   * Keeps retrying if the runtime is unavailable at the beginning, until the view is closed. By default the view ends in this case.
   * Later outages never end the view. @defaultValue false
   */
  waitForRuntime?: boolean | undefined;
  /** Ends the view, as `close()` does. If the signal has aborted already, the view is closed at once and `ready` rejects. */
  signal?: AbortSignal | undefined;
}

const watchFields: FieldsOf<WatchOptions> = {
  ...nodeFilterFields,
  waitForRuntime: true,
  signal: true,
  timeoutMs: true,
  deadline: true,
};

/** The types that a listener can be registered for. */
const listenerTypes: Readonly<Record<CriEvent["type"] | "change", true>> = {
  change: true,
  containerAdded: true,
  containerExited: true,
  containerRemoved: true,
  containerStarted: true,
  containerUpdated: true,
  podAdded: true,
  podRemoved: true,
  podUpdated: true,
  resync: true,
};

/**
 * The pods and containers of a node, kept in memory and up to date, as `cri.watch()` returns them. While the runtime is down, the
 * view keeps its last state. When the runtime is back, the view is updated.
 *
 * ```ts
 * await using view = cri.watch();
 * view.on("containerExited", ({ container, exitCode }) => console.log(container.id, exitCode));
 * await view.ready;
 * console.log(view.findContainers({ state: "running", labels: { app: "web" } }).length);
 * ```
 */
export class NodeView implements NodeState, AsyncDisposable {
  /**
   * Resolves when the view has its first state. Rejects with a CriError if the runtime is unavailable, or with the reason if the
   * view ends first.
   */
  readonly ready: Promise<void>;
  /**
   * Resolves when the view ends: by {@link close}, its signal, its time limit, closing the client, or because the runtime was
   * unavailable at the beginning. The pods and containers of the last state stay available. Never rejects.
   */
  readonly closed: Promise<void>;
  readonly #watcher: Watcher;
  readonly #close: (reason: unknown) => void;
  readonly #listeners = new Set<{ readonly type: string; readonly listener: (event: never) => void }>();
  #state: NodeState = { pods: new Map(), containers: new Map() };
  /** The containers of each pod in the current state; computed at the first use. */
  #byPod: Map<string, Container[]> | undefined;

  /** @internal */
  constructor(watcher: Watcher, options: WatchOptions = {}) {
    checkOptions(options, watchFields);
    const { signal = watcher.connection.signal, waitForRuntime = false } = options;
    const limit = streamLimit(watcher.connection, options);
    const filter = subscriberFilter(options);
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
    let unsubscribe = () => {};
    let unlisten = () => {};
    let stopLimit: (() => void) | undefined;
    this.#close = (reason) => {
      stopLimit?.();
      unlisten();
      unsubscribe();
      this.#listeners.clear();
      settle.reject(reason);
      resolveClosed();
    };
    const end = watcher.endFor(signal);
    if (end) {
      this.#close(end.reason);
      return;
    }
    const subscriber: Subscriber = {
      changed: (events, state) => {
        this.#state = state;
        this.#byPod = undefined;
        settle.resolve();
        for (const event of events) this.#emit(event);
      },
      failed: (reason) => {
        if (!waitForRuntime || endsWatch(reason)) this.#close(reason);
      },
    };
    unsubscribe = watcher.subscribe(filter(subscriber));
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

  /** How the client detects changes: by the runtime's events, or by lists only. `undefined` until the client knows. */
  get source(): WatchSource | undefined {
    return this.#watcher.source;
  }

  /** Returns the pods that match every field of the filter. It has the fields of the filter of `pods.list`. */
  findPods(filter: PodFilter = {}): PodSandbox[] {
    return [...this.pods.values()].filter(podMatcher(filter));
  }

  /** Returns the containers that match every field of the filter. It has the fields of the filter of `containers.list`. */
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
   * Calls `listener` with every later event of the given type, or of any type for `"change"`. The view is updated before the call.
   *
   * The first state is one `resync` event, not additions. An update of the view may consist of several events, which are all
   * emitted after it. If a listener throws, the error becomes an uncaught exception, which ends the process unless you handle it.
   * The view and its other listeners continue.
   *
   * @returns a function that removes the listener. The end of the view removes all listeners.
   * @throws InvalidInputError for an unknown type, or a listener that is not a function
   */
  on(type: "change", listener: (event: CriEvent) => void): () => void;
  on<Type extends CriEvent["type"]>(type: Type, listener: (event: CriEventOf<Type>) => void): () => void;
  on(type: CriEvent["type"] | "change", listener: (event: never) => void): () => void {
    if (!oneOf(type, "type", listenerTypes, false)) invalid("type", "is required", type);
    if (typeof listener !== "function") invalid("listener", "must be a function", listener);
    const entry = { type, listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Ends the view. It keeps its last state. */
  async close(): Promise<void> {
    this.#close(new NoLongerNeeded("The view was closed."));
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #emit(event: CriEvent): void {
    // Copied, because a listener may add others, which are called with later events only.
    for (const entry of [...this.#listeners]) {
      const isWanted = entry.type === "change" || entry.type === event.type;
      if (!isWanted || !this.#listeners.has(entry)) continue;
      try {
        entry.listener(event as never);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
