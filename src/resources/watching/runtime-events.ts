import { CriError } from "../../errors.js";
import { sleep } from "../../internal/timer.js";
import type { CallOptions, WatchSource } from "../../options.js";
import type { ContainerEventResponse } from "../../proto.js";
import { containerEvents } from "../../rpcs/events.js";
import { version } from "../../rpcs/runtime.js";
import { backgroundStep } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";

/** An empty stream that ends within this time means that events are disabled: CRI-O then ends the stream without an error. */
const emptyStreamMs = 1_000;

/** The longest pause before a broken stream is reopened. Each pause is random, between half of this and all of it. */
const maxReopenMs = 1_000;

/** Receives the runtime's events. */
export interface RuntimeEventsListener {
  /** Called for each event that the runtime sends. */
  received(event: ContainerEventResponse): void;
  /** Called when events may have been missed: when the stream breaks, and again when it can be reopened. */
  interrupted(): void;
}

/**
 * Follows the runtime's own events (GetContainerEvents) on runtimes where they are reliable. A runtime acknowledges the stream only
 * with its first event, so the stream counts as open as soon as it was requested.
 */
export class RuntimeEvents {
  /** `events` if the runtime has reliable events, otherwise `list`; `undefined` until the client knows. */
  source: WatchSource | undefined;
  #state: "closed" | "open" | "pausing" = "closed";
  readonly #connection: Connection;
  readonly #listener: RuntimeEventsListener;
  readonly #configuredSource: WatchSource | undefined;

  constructor(connection: Connection, listener: RuntimeEventsListener) {
    this.#connection = connection;
    this.#listener = listener;
    this.#configuredSource = connection.options.watch?.source;
    this.source = this.#configuredSource;
  }

  /** Whether the stream is open, or the runtime has no events. Otherwise the stream will be reopened. */
  get isSettled(): boolean {
    return this.#state === "open" || this.source === "list";
  }

  /** Opens the stream unless it is open or the runtime has no reliable events. Rejects as a call does. */
  async open(options: CallOptions & { signal: AbortSignal }): Promise<void> {
    this.source ??= (await this.#hasReliableEvents(options)) ? "events" : "list";
    if (this.source === "list" || this.#state !== "closed") return;
    this.#state = "open";
    // The stream is no part of the relist that opens it.
    void backgroundStep(this.#connection, "watch.events", {}, () => this.#follow(options.signal)).catch(() => {});
  }

  /** Detects the source again at the next {@link open}: after an outage the runtime may have another version. */
  resetSource(): void {
    this.source = this.#configuredSource;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const openedAt = performance.now();
    let isEmpty = true;
    try {
      for await (const event of containerEvents(this.#connection, { signal })) {
        isEmpty = false;
        this.#listener.received(event);
      }
      if (isEmpty && performance.now() - openedAt < emptyStreamMs) return this.#useLists();
    } catch (error) {
      if (CriError.is(error, "UNIMPLEMENTED")) return this.#useLists();
    }
    this.#state = "pausing";
    this.resetSource();
    this.#listener.interrupted();
    await sleep(maxReopenMs * (0.5 + Math.random() / 2), signal);
    this.#state = "closed";
    if (this.source !== "list") this.#listener.interrupted();
  }

  #useLists(): void {
    this.source = "list";
    this.#state = "closed";
  }

  /**
   * Returns whether the runtime has events, and sends all of them to this client. containerd 1.6 has no events. containerd 1.7
   * delivers each event to only one subscriber, so subscribing would take events from the kubelet. CRI-O ends the stream if events
   * are disabled.
   */
  async #hasReliableEvents(options: CallOptions): Promise<boolean> {
    const { runtimeName, runtimeVersion } = await version(this.#connection, options);
    const major = Number(/\d+/.exec(runtimeVersion)?.[0] ?? 0);
    return runtimeName === "cri-o" || (runtimeName === "containerd" && major >= 2);
  }
}
