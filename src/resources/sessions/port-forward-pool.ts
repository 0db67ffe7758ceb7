import type { Duplex } from "node:stream";
import { CriError } from "../../errors.js";
import { type Dial, ForwardSession } from "./port-forward-session.js";

/** How {@link SessionPool} come about and end. */
export interface SessionPoolOptions {
  dial: Dial;
  /** Signals that end all of them. */
  endings: readonly (AbortSignal | undefined)[];
  /** Whether the next one is expected to carry more than one stream. */
  isShareable: () => boolean;
  /** Whether the shared one is kept while it carries nothing. */
  isKept: () => boolean;
}

/**
 * What carries the streams of one port-forward. Those who come share one carrier as long as it works; one that failed somebody
 * gets no new streams. Each ends with its last stream.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  /** The one for all who come, made or being made. */
  #shared: ForwardSession | undefined;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** Makes a stream to a port. The signal ends the waiting for it. */
  async open(port: number, signal: AbortSignal): Promise<Duplex> {
    for (let failures = 0; ; ) {
      // No await here: of many that come at once the first one dials, and the others find it doing so.
      const known = this.#shared;
      const carrier = known ?? this.#start(port);
      carrier.uses++;
      try {
        const stream = await carrier.open(port, signal);
        if (stream) return this.#watch(stream, carrier);
        this.#release(carrier);
      } catch (error) {
        if (!signal.aborted) this.#retire(carrier);
        this.#release(carrier);
        signal.throwIfAborted();
        failures++;
        // What others made may have failed for their reasons, or died since: once more, on a new one.
        const isWorthAnother = known && failures < 2 && (!known.isMade || CriError.is(error, "UNAVAILABLE"));
        if (!isWorthAnother) throw error;
      }
    }
  }

  /** To be called when {@link SessionPoolOptions.isKept} has changed. */
  rest(): void {
    if (this.#shared) this.#endIfIdle(this.#shared);
  }

  #start(port: number): ForwardSession {
    const { dial, endings, isShareable } = this.#options;
    const isShared = isShareable();
    const carrier = new ForwardSession(dial, port, endings);
    if (isShared) this.#shared = carrier;
    const retire = () => this.#retire(carrier);
    carrier.forwarding.then((it) => {
      if (it.transport === "websocket") return retire();
      this.#shared ??= carrier;
      void it.connection.closed.then(retire);
    }, retire);
    return carrier;
  }

  #watch(stream: Duplex, carrier: ForwardSession): Duplex {
    if (stream.closed) this.#release(carrier);
    else stream.once("close", () => this.#release(carrier));
    return stream;
  }

  #release(carrier: ForwardSession): void {
    carrier.uses--;
    this.#endIfIdle(carrier);
  }

  /** Leaves it to the streams that it has. */
  #retire(carrier: ForwardSession): void {
    if (this.#shared === carrier) this.#shared = undefined;
    this.#endIfIdle(carrier);
  }

  #endIfIdle(carrier: ForwardSession): void {
    if (carrier.uses > 0 || (carrier === this.#shared && this.#options.isKept())) return;
    if (this.#shared === carrier) this.#shared = undefined;
    carrier.end();
  }
}
