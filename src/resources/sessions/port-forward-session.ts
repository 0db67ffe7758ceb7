import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { CriError } from "../../errors.js";
import { type LinkedAbort, linkAbort, onAbort } from "../../internal/abort.js";
import type { PortForwarding } from "../../streaming/open.js";

/** Opens a session for a port. The signal cancels opening it, and ends it later. */
export type Dial = (port: number, signal: AbortSignal) => Promise<PortForwarding>;

/** One session with the runtime. Over SPDY it carries any number of streams, over WebSocket a single one. */
export class ForwardSession {
  /** Resolves when the session is open. Rejects if opening it failed. */
  readonly forwarding: Promise<PortForwarding>;
  /** The number of streams that are open or being opened. */
  streamCount = 0;
  readonly #port: number;
  readonly #life: LinkedAbort;
  #hasOpened = false;
  #isTaken = false;

  /** @param endSignals signals that end the session */
  constructor(dial: Dial, port: number, endSignals: readonly (AbortSignal | undefined)[]) {
    this.#port = port;
    this.#life = linkAbort(...endSignals);
    this.forwarding = dial(port, this.#life.signal);
    this.#untilEnd().then(this.#life.unlink, this.#life.unlink);
  }

  /** Whether the session was opened. Stays true after its end. */
  get hasOpened(): boolean {
    return this.#hasOpened;
  }

  /**
   * Opens a stream. The signal cancels opening the stream, but not the session.
   *
   * @returns undefined if the only stream of a WebSocket session is in use, or belongs to another port
   */
  async open(port: number, signal: AbortSignal): Promise<Duplex | undefined> {
    const forwarding = await abortable(this.forwarding, signal);
    if (forwarding.transport === "spdy") return forwarding.connection.open(port, { signal });
    if (this.#isTaken || port !== this.#port) return undefined;
    this.#isTaken = true;
    return forwarding.first;
  }

  /** Ends the session, or cancels opening it. */
  end(): void {
    this.#life.abort(new CriError({ code: "CANCELLED", message: "the port-forward session was ended" }));
  }

  async #untilEnd(): Promise<void> {
    const forwarding = await this.forwarding;
    this.#hasOpened = true;
    await endOf(forwarding);
  }
}

/** Returns a promise that settles when a session has ended. */
export function endOf(forwarding: PortForwarding): Promise<void> {
  return forwarding.transport === "spdy" ? forwarding.connection.closed : finished(forwarding.first);
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stopListening = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(stopListening);
  });
}
