import { CriError } from "../../errors.js";
import { CriStream } from "../../internal/stream.js";
import type { StreamLimits, WatchSource } from "../../options.js";
import { streamLimit } from "../../rpcs/budget.js";
import type { CriEvent } from "./event.js";
import { EventQueue } from "./event-queue.js";
import type { End } from "./watch-member.js";
import type { Watcher } from "./watcher.js";

/** Options of `cri.events`. */
export interface EventsOptions extends StreamLimits {
  /** Begin with a `resync` that tells what is there already. @defaultValue false */
  initial?: boolean | undefined;
  /**
   * Keep trying when the runtime does not answer at the beginning, until the stream is closed. By default the stream fails then.
   * Once it has begun, it survives every outage. @defaultValue false
   */
  waitForRuntime?: boolean | undefined;
  /** Ends the stream: the loop throws `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/**
 * The changes on a node, as `cri.events()` returns them: `for await (const event of cri.events())`.
 *
 * It begins with the first read, or with {@link ready}. It fails with a CriError if the runtime does not answer then (unless
 * `waitForRuntime` is set), with `CLIENT_CLOSED` when the client is closed, and with `DEADLINE_EXCEEDED` at its time limit. It
 * survives a runtime that goes away later. Up to 1000 events are kept for a slow reader, then a `resync` replaces all of them.
 */
export class EventStream extends CriStream<CriEvent> {
  readonly #watcher: Watcher;
  readonly #signal: AbortSignal | undefined;
  readonly #begin: () => EventQueue;
  #queue: EventQueue | undefined;
  /** Set by {@link close}: nothing begins after it. */
  #closed: End | undefined;

  /** @internal */
  constructor(watcher: Watcher, options: EventsOptions = {}) {
    const { initial = false, waitForRuntime = false, signal = watcher.connection.signal } = options;
    const limit = streamLimit(watcher.connection, options);
    super((reading) => this.#begin().batches(reading), signal);
    this.#watcher = watcher;
    this.#signal = signal;
    this.#begin = () => {
      this.#queue ??= new EventQueue(watcher, { initial, waitForRuntime, signal, limit });
      return this.#queue;
    };
  }

  /**
   * Begins, and resolves once it is certain that every change from now on will be reported. Rejects if the stream fails or ends
   * before that, and when it is over: with the signal's reason, `CLIENT_CLOSED`, or `CANCELLED` after {@link close}. A stream
   * that began is to be read or closed.
   */
  get ready(): Promise<void> {
    const end = this.#end();
    if (!end) return this.#begin().ready;
    const over = Promise.reject(end.reason);
    over.catch(() => {});
    return over;
  }

  /** Where the events come from; undefined as long as that is not known. */
  get source(): WatchSource | undefined {
    return this.#watcher.source;
  }

  /** Ends the stream: a loop that waits for an event ends. Resolves when everything is closed; may be called again. */
  override async close(): Promise<void> {
    this.#closed ??= this.#end() ?? {
      reason: new CriError({ code: "CANCELLED", message: "the stream has been closed" }),
    };
    this.#queue?.close(this.#closed.reason);
    await super.close();
  }

  /** What ended it first. */
  #end(): End | undefined {
    return this.#closed ?? this.#queue?.end ?? this.#watcher.endFor(this.#signal);
  }
}
