import { CriError } from "../../errors.js";
import { type Container, ContainerState, type ContainerStatus } from "../../proto.js";
import type { NodeState } from "../watching/event.js";
import type { Subscriber } from "../watching/subscriber.js";
import type { Watcher } from "../watching/watcher.js";

const { CONTAINER_CREATED, CONTAINER_RUNNING } = ContainerState;

/** The callbacks of a {@link LogWriters}. */
interface LogWriterListener {
  /** Called with the first state of the node's pods and containers, and after each change. */
  changed?(state: NodeState): void;
  /** Called when the watch has failed or the client was closed. No other call follows. */
  failed(reason: unknown): void;
}

/** Watches whether containers can still write to their logs. Followers share the client's watch, so none of them polls. */
export class LogWriters implements Subscriber {
  readonly #listener: LogWriterListener;
  readonly #ends = new Map<string, AbortController>();
  readonly #unsubscribe: () => void;

  constructor(watcher: Watcher, listener: LogWriterListener) {
    this.#listener = listener;
    this.#unsubscribe = watcher.subscribe(this);
  }

  /** Returns a signal that aborts when the container has exited or was removed. */
  endOf(containerId: string): AbortSignal {
    const end = this.#ends.get(containerId) ?? new AbortController();
    this.#ends.set(containerId, end);
    return end.signal;
  }

  exited({ id }: ContainerStatus): void {
    this.#end(id);
  }

  changed(_events: unknown, state: NodeState): void {
    this.#listener.changed?.(state);
    for (const id of this.#ends.keys()) if (!canWrite(state.containers.get(id))) this.#end(id);
  }

  /** Ignores that the runtime is down: its containers still run, and the watch continues. */
  failed(reason: unknown): void {
    if (!CriError.is(reason, "UNAVAILABLE", "DEADLINE_EXCEEDED")) this.#listener.failed(reason);
  }

  close(): void {
    this.#unsubscribe();
  }

  #end(containerId: string): void {
    this.#ends.get(containerId)?.abort();
    this.#ends.delete(containerId);
  }
}

/** Returns whether a container writes to its log, or will do so once it is started. */
export function canWrite(container: Pick<Container, "state"> | undefined): boolean {
  return container?.state === CONTAINER_RUNNING || container?.state === CONTAINER_CREATED;
}
