import { InvalidInputError } from "../../errors.js";
import type { WatchSource } from "../../options.js";
import type { Connection } from "../../transport/connection.js";
import type { End, Subscriber } from "./subscriber.js";
import { Watch } from "./watch.js";

/** Shares one watch among all streams, views and waits of a client. The watch runs while it has subscribers. */
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

  /** The source of the running watch; `undefined` until it is known, and while no watch runs. */
  get source(): WatchSource | undefined {
    return this.#watch?.hasEnded ? undefined : this.#watch?.source;
  }

  /** Returns the reason if the signal has aborted or the client was closed, so that a stream cannot begin. */
  endFor(signal: AbortSignal | undefined): End | undefined {
    const aborted = [signal, ...this.connection.closing].find((candidate) => candidate?.aborted);
    return aborted && { reason: aborted.reason };
  }

  /** Subscribes to the watch. Returns a function that unsubscribes. The watch ends when it has no subscribers. */
  subscribe(subscriber: Subscriber): () => void {
    const watch = this.#watch?.hasEnded === false ? this.#watch : new Watch(this.connection);
    this.#watch = watch;
    watch.add(subscriber);
    return () => watch.remove(subscriber);
  }
}
