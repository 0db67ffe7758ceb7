import { CriStream } from "../../internal/stream.js";
import type { WatchSource } from "../../options.js";
import type { CriEvent } from "./event.js";
import { EventQueue } from "./event-queue.js";
import type { Watcher } from "./watcher.js";

/** Options of `cri.events`. */
export interface EventsOptions {
  /** Begin with a `resync` that tells what is there already. @defaultValue false */
  initial?: boolean | undefined;
  /** Ends the stream: the loop throws `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/**
 * The changes on a node, as `cri.events()` returns them: `for await (const event of cri.events())`.
 *
 * It begins with the first read, or with {@link ready}. It fails with a CriError if the runtime does not answer then, and with
 * `CLIENT_CLOSED` when the client is closed; a runtime that goes away later is waited for. Up to 1000 events are kept for a slow
 * reader, then a `resync` stands for all of them.
 */
export class EventStream extends CriStream<CriEvent> {
  readonly #watcher: Watcher;
  readonly #begin: () => EventQueue;
  #queue: EventQueue | undefined;

  /** @internal */
  constructor(watcher: Watcher, { initial = false, signal }: EventsOptions = {}) {
    super((reading) => this.#begin().batches(reading), signal);
    this.#watcher = watcher;
    this.#begin = () => {
      this.#queue ??= new EventQueue(watcher, initial, signal);
      return this.#queue;
    };
  }

  /**
   * Begins, and resolves once it is certain that every change from now on will be told. Rejects if the stream fails or ends
   * before that. A stream that began is to be read or closed.
   */
  get ready(): Promise<void> {
    return this.#begin().ready;
  }

  /** Where the news come from; undefined as long as that is not known. */
  get source(): WatchSource | undefined {
    return this.#watcher.source;
  }

  /** Ends the stream: a loop that waits for an event ends. Resolves when everything is closed; may be called again. */
  override async close(): Promise<void> {
    this.#queue?.close(new DOMException("The stream was closed.", "AbortError"));
    await super.close();
  }
}
