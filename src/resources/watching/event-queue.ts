import { onAbort } from "../../internal/abort.js";
import { type CriEvent, type NodeState, resync } from "./event.js";
import type { End, Watcher, Watching } from "./watcher.js";

/** How many unread events are kept before one `resync` takes their place. */
const mostUnread = 1_000;

/** Events on their way from the watch to the reader of one stream. */
export class EventQueue implements Watching {
  /** Resolves with the first state, rejects if the queue ends before that. */
  readonly ready: Promise<void>;
  readonly #initial: boolean;
  readonly #leave: () => void;
  #settle: { resolve(): void; reject(reason: unknown): void } = { resolve() {}, reject() {} };
  #unread: CriEvent[] = [];
  #state: NodeState | undefined;
  #overflown = false;
  #end: End | undefined;
  #wake = () => {};

  constructor(watcher: Watcher, initial: boolean, signal: AbortSignal | undefined) {
    this.#initial = initial;
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready.catch(() => {});
    const leave = watcher.join(this);
    const unlisten = signal && onAbort(signal, () => this.close(signal.reason));
    this.#leave = () => {
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
    if ((first && !this.#initial) || this.#overflown) return;
    if (this.#unread.length > 0 && this.#unread.length + events.length > mostUnread) {
      this.#unread = [];
      this.#overflown = true;
    } else {
      this.#unread.push(...events);
    }
    this.#wake();
  }

  failed(reason: unknown): void {
    this.close(reason);
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
