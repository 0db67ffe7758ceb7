import { CriError } from "../../errors.js";
import { sleep } from "../../internal/timer.js";
import type { CallOptions, WatchSource } from "../../options.js";
import type { ContainerEventResponse } from "../../proto.js";
import { containerEvents } from "../../rpcs/events.js";
import { version } from "../../rpcs/runtime.js";
import type { Connection } from "../../transport/connection.js";

/** A stream that ends this soon, in good order and without an event, is CRI-O's way to say that it has no events. */
const atOnceMs = 1_000;

/** How long to do without events after their stream broke: a random time up to this, and half of it at least. */
const reopenMs = 1_000;

/** Whom the feed serves. */
export interface FeedReader {
  /** An event came in. */
  heard(event: ContainerEventResponse): void;
  /** The stream has broken, or is to be opened again after that: what happened meanwhile may have been missed. */
  broken(): void;
}

/**
 * The runtime's own events, where they can be trusted. Whether a stream is open cannot be told: the first sign of it comes with
 * the first event.
 */
export class EventFeed {
  /** Where news come from; undefined as long as that is to be found out. */
  source: WatchSource | undefined;
  #state: "closed" | "open" | "pausing" = "closed";
  readonly #connection: Connection;
  readonly #reader: FeedReader;
  readonly #forced: WatchSource | undefined;

  constructor(connection: Connection, reader: FeedReader) {
    this.#connection = connection;
    this.#reader = reader;
    this.#forced = connection.options.watch?.source;
    this.source = this.#forced;
  }

  /** Whether as much is heard as can be: events flow, or the runtime has none. */
  get settled(): boolean {
    return this.#state === "open" || this.source === "list";
  }

  /** Opens the stream if there is one to open. Rejects as a call does. */
  async open(options: CallOptions & { signal: AbortSignal }): Promise<void> {
    this.source ??= (await this.#trustworthy(options)) ? "events" : "list";
    if (this.source === "list" || this.#state !== "closed") return;
    this.#state = "open";
    void this.#follow(options.signal).catch(() => {});
  }

  /** The runtime was away; another version may take its place. */
  reconsider(): void {
    this.source = this.#forced;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const openedAt = performance.now();
    let heard = false;
    try {
      for await (const event of containerEvents(this.#connection, { signal })) {
        heard = true;
        this.#reader.heard(event);
      }
      if (!heard && performance.now() - openedAt < atOnceMs) return this.#doWithout();
    } catch (error) {
      if (CriError.is(error, "UNIMPLEMENTED")) return this.#doWithout();
    }
    this.#state = "pausing";
    this.reconsider();
    this.#reader.broken();
    await sleep(reopenMs * (0.5 + Math.random() / 2), signal);
    this.#state = "closed";
    if (this.source !== "list") this.#reader.broken();
  }

  #doWithout(): void {
    this.source = "list";
    this.#state = "closed";
  }

  /**
   * containerd 1.6 has no events, and the subscribers of 1.7 take them from one another, the kubelet's included: a library must
   * keep its hands off those. CRI-O ends the stream if it has none.
   */
  async #trustworthy(options: CallOptions): Promise<boolean> {
    const { runtimeName, runtimeVersion } = await version(this.#connection, options);
    const major = Number(/\d+/.exec(runtimeVersion)?.[0] ?? 0);
    return runtimeName === "cri-o" || (runtimeName === "containerd" && major >= 2);
  }
}
