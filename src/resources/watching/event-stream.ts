import { CriError } from "../../errors.js";
import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { CriStream } from "../../internal/stream.js";
import type { StreamLimits, WatchSource } from "../../options.js";
import { streamLimit } from "../../rpcs/budget.js";
import type { CriEvent } from "./event.js";
import { EventQueue } from "./event-queue.js";
import { type NodeFilter, nodeFilterFields, subscriberFilter } from "./node-filter.js";
import type { End } from "./subscriber.js";
import type { Watcher } from "./watcher.js";

/** Options of `cri.events`. A filter applies to events and to the state of a `resync`. */
export interface EventsOptions extends NodeFilter, StreamLimits {
  /** Emits a `resync` with the current state first. @defaultValue false */
  initial?: boolean | undefined;
  /**
   * Waits for a runtime that is unavailable when the stream begins: retries until the stream is closed. By default the stream then
   * fails. Later outages never end the stream. @defaultValue false
   */
  waitForRuntime?: boolean | undefined;
  /** Ends the stream: the loop throws `signal.reason`. */
  signal?: AbortSignal | undefined;
}

const eventsFields: FieldsOf<EventsOptions> = {
  ...nodeFilterFields,
  initial: true,
  waitForRuntime: true,
  signal: true,
  timeoutMs: true,
  deadline: true,
};

/**
 * A stream of the changes on a node, which `cri.events()` returns: `for await (const event of cri.events())`.
 *
 * The stream begins with the first read or with {@link ready}. It fails with
 *
 * - a CriError if the runtime is unavailable at the beginning, unless `waitForRuntime` is set;
 * - `CLIENT_CLOSED` when the client is closed;
 * - `DEADLINE_EXCEEDED` at the stream's time limit.
 *
 * The stream survives later outages of the runtime. It buffers up to 1000 events for a slow consumer, then replaces all of them
 * with one `resync`.
 */
export class EventStream extends CriStream<CriEvent> {
  readonly #watcher: Watcher;
  readonly #signal: AbortSignal | undefined;
  readonly #begin: () => EventQueue;
  #queue: EventQueue | undefined;
  /** Set by {@link close}. A closed stream cannot begin. */
  #closed: End | undefined;

  /** @internal */
  constructor(watcher: Watcher, options: EventsOptions = {}) {
    checkOptions(options, eventsFields);
    const { initial = false, waitForRuntime = false, signal = watcher.connection.signal } = options;
    const limit = streamLimit(watcher.connection, options);
    const filter = subscriberFilter(options);
    super((reading) => this.#begin().batches(reading), signal);
    this.#watcher = watcher;
    this.#signal = signal;
    this.#begin = () => {
      this.#queue ??= new EventQueue(watcher, { initial, waitForRuntime, filter, signal, limit });
      return this.#queue;
    };
  }

  /**
   * Begins the stream, and resolves once the stream is certain to report every later change. After using `ready`, read the stream
   * or close it. If the clock of the runtime is behind that of the client, the stream may miss objects that are both created and
   * removed within the first second, and longer while such events follow each other: at most 10 seconds.
   *
   * Rejects if the stream fails or ends before that, or has ended already: with the signal's reason, `CLIENT_CLOSED`, or
   * `CANCELLED` after {@link close}.
   */
  get ready(): Promise<void> {
    const end = this.#end();
    if (!end) return this.#begin().ready;
    const ended = Promise.reject(end.reason);
    ended.catch(() => {});
    return ended;
  }

  /** How the client detects changes: by the runtime's events, or by lists only. `undefined` until the client knows. */
  get source(): WatchSource | undefined {
    return this.#watcher.source;
  }

  /** Ends the stream, and a loop that reads it. Resolves when everything is closed. Further calls have no effect. */
  override async close(): Promise<void> {
    this.#closed ??= this.#end() ?? {
      reason: new CriError({ code: "CANCELLED", message: "the stream has been closed" }),
    };
    this.#queue?.close(this.#closed.reason);
    await super.close();
  }

  /** Returns the first reason that ended the stream; `undefined` until the stream has ended. */
  #end(): End | undefined {
    return this.#closed ?? this.#queue?.end ?? this.#watcher.endFor(this.#signal);
  }
}
