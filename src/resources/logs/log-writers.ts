import { CriError } from "../../errors.js";
import { type Container, ContainerState, type ContainerStatus } from "../../proto.js";
import type { NodeState } from "../watching/event.js";
import type { WatchMember } from "../watching/watch-member.js";
import type { Watcher } from "../watching/watcher.js";

const { CONTAINER_CREATED, CONTAINER_RUNNING } = ContainerState;

/** Who hears from the writers. */
interface LogReaders {
  /** The pods and containers of the node have been listed, or have changed. */
  listed?(state: NodeState): void;
  /** The watch has failed, or the client was closed: nothing more is heard. */
  failed(reason: unknown): void;
}

/** Watches whether containers can still write to their logs. Followers share the client's watch, so none of them polls. */
export class LogWriters implements WatchMember {
  readonly #readers: LogReaders;
  readonly #ends = new Map<string, AbortController>();
  readonly #leave: () => void;

  constructor(watcher: Watcher, readers: LogReaders) {
    this.#readers = readers;
    this.#leave = watcher.join(this);
  }

  /** A signal that aborts when the container has exited or was removed. */
  endOf(containerId: string): AbortSignal {
    const end = this.#ends.get(containerId) ?? new AbortController();
    this.#ends.set(containerId, end);
    return end.signal;
  }

  exited({ id }: ContainerStatus): void {
    this.#end(id);
  }

  changed(_events: unknown, state: NodeState): void {
    this.#readers.listed?.(state);
    for (const id of this.#ends.keys()) if (!canWrite(state.containers.get(id))) this.#end(id);
  }

  /** A runtime that is away has not stopped its containers: the watch goes on. */
  failed(reason: unknown): void {
    if (!CriError.is(reason, "UNAVAILABLE", "DEADLINE_EXCEEDED")) this.#readers.failed(reason);
  }

  close(): void {
    this.#leave();
  }

  #end(containerId: string): void {
    this.#ends.get(containerId)?.abort();
    this.#ends.delete(containerId);
  }
}

/** Whether a container writes to its log, or will once it is started. */
export function canWrite(container: Pick<Container, "state"> | undefined): boolean {
  return container?.state === CONTAINER_RUNNING || container?.state === CONTAINER_CREATED;
}
