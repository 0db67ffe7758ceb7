import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { CriError } from "../../errors.js";
import { type LinkedAbort, linkAbort, onAbort } from "../../internal/abort.js";
import type { PortForwarding } from "../../streaming/open.js";

/** Makes a session for a port; the signal cancels that, and ends the session later. */
export type Dial = (port: number, signal: AbortSignal) => Promise<PortForwarding>;

/** One session with the runtime: over SPDY it carries any number of streams, over WebSocket a single one. */
export class ForwardSession {
  /** The session, once there is one. Rejects when it could not be made. */
  readonly forwarding: Promise<PortForwarding>;
  /** How many streams it carries, or are about to be made. */
  uses = 0;
  readonly #port: number;
  readonly #life: LinkedAbort;
  #isMade = false;
  #isTaken = false;

  /** @param endings signals that end it */
  constructor(dial: Dial, port: number, endings: readonly (AbortSignal | undefined)[]) {
    this.#port = port;
    this.#life = linkAbort(...endings);
    this.forwarding = dial(port, this.#life.signal);
    this.#guard().then(this.#life.unlink, this.#life.unlink);
  }

  /** Whether the session was made, whatever became of it. */
  get isMade(): boolean {
    return this.#isMade;
  }

  /**
   * Makes a stream. The signal ends the waiting, and leaves the session alone.
   *
   * @returns nothing when all that it can carry belongs to somebody else
   */
  async open(port: number, signal: AbortSignal): Promise<Duplex | undefined> {
    const forwarding = await unlessAborted(this.forwarding, signal);
    if (forwarding.transport === "spdy") return forwarding.connection.open(port, { signal });
    if (this.#isTaken || port !== this.#port) return undefined;
    this.#isTaken = true;
    return forwarding.first;
  }

  /** Ends it, made or not. */
  end(): void {
    this.#life.abort(new CriError({ code: "CANCELLED", message: "nothing is forwarded any more" }));
  }

  async #guard(): Promise<void> {
    const it = await this.forwarding;
    this.#isMade = true;
    await endOf(it);
  }
}

/** Settles when a session is over. */
export function endOf(forwarding: PortForwarding): Promise<void> {
  return forwarding.transport === "spdy" ? forwarding.connection.closed : finished(forwarding.first);
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stopListening = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(stopListening);
  });
}
