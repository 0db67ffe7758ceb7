import { onAbort } from "../../internal/abort.js";
import type { TimeLimit } from "../../internal/stream.js";
import { type CriEvent, type NodeState, resync } from "./event.js";
import { type End, isOver, type WatchMember } from "./watch-member.js";
import type { Watcher } from "./watcher.js";

/** How many unread events are kept before one `resync` takes their place. */
const mostUnread = 1_000;

/** How a queue begins and ends. */
export interface QueueSettings {
  /** Begin with a `resync` event of the first state. */
  readonly initial: boolean;
  /** A failing first list does not end the queue. */
  readonly waitForRuntime: boolean;
  readonly signal: AbortSignal | undefined;
  readonly limit: TimeLimit | undefined;
}

/** Events on their way from the watch to the reader of one stream. */
export class EventQueue implements WatchMember {
  /** Resolves with the first state, rejects if the queue ends before that. */
  readonly ready: Promise<void>;
  readonly #settings: QueueSettings;
  readonly #leave: () => void;
  #settle: { resolve(): void; reject(reason: unknown): void } = { resolve() {}, reject() {} };
  #unread: CriEvent[] = [];
  #state: NodeState | undefined;
  #overflown = false;
  #end: End | undefined;
  #wake = () => {};

  constructor(watcher: Watcher, settings: QueueSettings) {
    this.#settings = settings;
    const { signal, limit } = settings;
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready.catch(() => {});
    const leave = watcher.join(this);
    const unlisten = signal && onAbort(signal, () => this.close(signal.reason));
    const stopLimit = limit?.((reason) => this.close(reason));
    this.#leave = () => {
      stopLimit?.();
      unlisten?.();
      leave();
    };
  }

  /** Why it ended, if it did. */
  get end(): End | undefined {
    return this.#end;
  }

  changed(events: readonly CriEvent[], state: NodeState): void {
    const first = !this.#state;
    this.#state = state;
    this.#settle.resolve();
    if ((first && !this.#settings.initial) || this.#overflown) return;
    if (this.#unread.length > 0 && this.#unread.length + events.length > mostUnread) {
      this.#unread = [];
      this.#overflown = true;
    } else {
      this.#unread.push(...events);
    }
    this.#wake();
  }

  failed(reason: unknown): void {
    if (!this.#settings.waitForRuntime || isOver(reason)) this.close(reason);
  }

  /** Ends it: what is unread can still be read, and then the reason is thrown. */
  close(reason: unknown): void {
    if (this.#end) return;
    this.#end = { reason };
    this.#leave();
    this.#settle.reject(reason);
    this.#wake();
  }

  /** What has happened, as it happens. */
  async *batches(signal: AbortSignal): AsyncGenerator<readonly CriEvent[], void, undefined> {
    const unlisten = onAbort(signal, () => this.#wake());
    try {
      while (!signal.aborted) {
        if (this.#overflown && this.#state) {
          // Made now: it covers what was dropped and all that happened since.
          this.#overflown = false;
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
