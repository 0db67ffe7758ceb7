import { onAbort } from "../../internal/abort.js";
import type { TimeLimit } from "../../internal/stream.js";
import { type CriEvent, type NodeState, resync } from "./event.js";
import type { SubscriberFilter } from "./node-filter.js";
import { type End, endsWatch, type Subscriber } from "./subscriber.js";
import type { Watcher } from "./watcher.js";

/** The limit on unread events. If they exceed it, one `resync` replaces them. */
const maxUnread = 1_000;

/** Settings of a queue, from the options of its stream. */
export interface QueueSettings {
  /** Whether the first event is a `resync` of the first state. */
  readonly initial: boolean;
  /** Whether the queue survives a failed first relist. */
  readonly waitForRuntime: boolean;
  readonly filter: SubscriberFilter;
  readonly signal: AbortSignal | undefined;
  readonly limit: TimeLimit | undefined;
}

/** Buffers the events of a watch for the consumer of one stream. */
export class EventQueue implements Subscriber {
  /** Resolves once the queue has the first state. Rejects if the queue ends before that. */
  readonly ready: Promise<void>;
  readonly #settings: QueueSettings;
  readonly #unsubscribe: () => void;
  #settle: { resolve(): void; reject(reason: unknown): void } = { resolve() {}, reject() {} };
  #unread: CriEvent[] = [];
  #state: NodeState | undefined;
  #hasOverflowed = false;
  #end: End | undefined;
  #wake = () => {};

  constructor(watcher: Watcher, settings: QueueSettings) {
    this.#settings = settings;
    const { signal, limit } = settings;
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready.catch(() => {});
    const unsubscribe = watcher.subscribe(settings.filter(this));
    const unlisten = signal && onAbort(signal, () => this.close(signal.reason));
    const stopLimit = limit?.((reason) => this.close(reason));
    this.#unsubscribe = () => {
      stopLimit?.();
      unlisten?.();
      unsubscribe();
    };
  }

  /** Why the queue has ended; `undefined` until it has. */
  get end(): End | undefined {
    return this.#end;
  }

  changed(events: readonly CriEvent[], state: NodeState): void {
    const first = !this.#state;
    this.#state = state;
    this.#settle.resolve();
    if ((first && !this.#settings.initial) || this.#hasOverflowed) return;
    if (this.#unread.length > 0 && this.#unread.length + events.length > maxUnread) {
      this.#unread = [];
      this.#hasOverflowed = true;
    } else {
      this.#unread.push(...events);
    }
    this.#wake();
  }

  failed(reason: unknown): void {
    if (!this.#settings.waitForRuntime || endsWatch(reason)) this.close(reason);
  }

  /** Ends the queue. Unread events can still be read; after them, reading throws the reason. */
  close(reason: unknown): void {
    if (this.#end) return;
    this.#end = { reason };
    this.#unsubscribe();
    this.#settle.reject(reason);
    this.#wake();
  }

  /** Yields the events as they arrive. */
  async *batches(signal: AbortSignal): AsyncGenerator<readonly CriEvent[], void, undefined> {
    const unlisten = onAbort(signal, () => this.#wake());
    try {
      while (!signal.aborted) {
        if (this.#hasOverflowed && this.#state) {
          // The resync is created when the consumer reads it, so that it covers the dropped events and all later ones.
          this.#hasOverflowed = false;
          yield [resync("overflow", this.#state)];
        } else if (this.#unread.length > 0) {
          yield this.#unread.splice(0);
        } else if (this.#end) {
          throw this.#end.reason;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      unlisten();
      this.close(signal.reason);
    }
  }
}
