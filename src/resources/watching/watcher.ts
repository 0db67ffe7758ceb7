import { InvalidInputError } from "../../errors.js";
import type { WatchSource } from "../../options.js";
import type { Connection } from "../../transport/connection.js";
import { Watch } from "./watch.js";
import type { End, WatchMember } from "./watch-member.js";

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
  join(member: WatchMember): () => void {
    const watch = this.#watch?.over === false ? this.#watch : new Watch(this.connection);
    this.#watch = watch;
    watch.join(member);
    return () => watch.leave(member);
  }
}
