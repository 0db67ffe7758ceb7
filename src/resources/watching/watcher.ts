import { CriError, InvalidInputError } from "../../errors.js";
import type { WatchSource } from "../../options.js";
import type { ContainerStatus } from "../../proto.js";
import type { Connection } from "../../transport/connection.js";
import type { CriEvent, NodeState } from "./event.js";
import { Watch } from "./watch.js";

/** Someone who wants to know what happens. No method may throw. */
export interface Watching {
  /**
   * The runtime has sent the status of a container that has exited. It comes ahead of {@link changed}, possibly more than once, and
   * only where the runtime has events; it may be of a container that was removed long ago.
   */
  exited?(status: ContainerStatus): void;
  /** What happened, and the state after it. The first call brings one `resync`, of a look that began after joining. */
  changed(events: readonly CriEvent[], state: NodeState): void;
  /**
   * The first look failed, or the client was closed. Nothing more comes in the latter case; in the former a first state does as
   * soon as there is one, to those who have not left.
   */
  failed(reason: unknown): void;
}

/** That something is over, and why. */
export interface End {
  readonly reason: unknown;
}

/** Whether a watch that failed with this reason has ended. Otherwise it goes on and may succeed later. */
export function isOver(reason: unknown): boolean {
  return !CriError.is(reason) || reason.code === "CLIENT_CLOSED";
}

/** The one watch of a client that all share who want to know what happens: it is under way as long as there is anybody. */
export class Watcher {
  readonly connection: Connection;
  #watch: Watch | undefined;

  constructor(connection: Connection) {
    const { source, pollMs, relistMs } = connection.options.watch ?? {};
    if (source !== undefined && source !== "events" && source !== "list") {
      throw new InvalidInputError({ field: "watch.source", message: 'must be "events" or "list"', value: source });
    }
    for (const [name, value] of Object.entries({ pollMs, relistMs })) {
      if (value === undefined || value > 0) continue;
      throw new InvalidInputError({
        field: `watch.${name}`,
        message: "must be a number of milliseconds above 0",
        value,
      });
    }
    this.connection = connection;
  }

  /** Where the news come from; undefined as long as that is not known, or nobody watches. */
  get source(): WatchSource | undefined {
    return this.#watch?.over ? undefined : this.#watch?.source;
  }

  /** Whether there is nothing to watch any more: the signal has aborted, or the client was closed. */
  endFor(signal: AbortSignal | undefined): End | undefined {
    const aborted = [signal, ...this.connection.closing].find((one) => one?.aborted);
    return aborted && { reason: aborted.reason };
  }

  /** Takes part in the watch. Returns the function that leaves it again; the last one to leave ends it. */
  join(member: Watching): () => void {
    const watch = this.#watch?.over === false ? this.#watch : new Watch(this.connection);
    this.#watch = watch;
    watch.join(member);
    return () => watch.leave(member);
  }
}
