import type { Duplex } from "node:stream";
import { CriError } from "../../errors.js";
import { type Dial, ForwardSession } from "./port-forward-session.js";

/** Options of {@link SessionPool}. */
export interface SessionPoolOptions {
  dial: Dial;
  /** Signals that end all sessions. */
  endSignals: readonly (AbortSignal | undefined)[];
  /** Whether the next session is expected to carry more than one stream. */
  isShareable: () => boolean;
  /** Whether to keep the shared session while it has no streams. */
  isKept: () => boolean;
}

/**
 * The sessions that carry the streams of one port-forward. New streams share one session as long as it works. A session on which
 * opening a stream failed gets no new streams. A session ends with its last stream.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  /** The session for new streams, which is open or being opened. */
  #shared: ForwardSession | undefined;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** Opens a stream to a port. The signal cancels opening it. */
  async open(port: number, signal: AbortSignal): Promise<Duplex> {
    for (let failures = 0; ; ) {
      // There must be no await before this, so that concurrent calls share the session that the first one opens.
      const existing = this.#shared;
      const session = existing ?? this.#start(port);
      session.streamCount++;
      try {
        const stream = await session.open(port, signal);
        if (stream) return this.#watch(stream, session);
        this.#release(session);
      } catch (error) {
        if (!signal.aborted) this.#retire(session);
        this.#release(session);
        signal.throwIfAborted();
        failures++;
        // A session of another call may have failed only for that call, or have broken since. Retry once on a new session.
        const shouldRetry = existing && failures < 2 && (!existing.hasOpened || CriError.is(error, "UNAVAILABLE"));
        if (!shouldRetry) throw error;
      }
    }
  }

  /** Ends the shared session if it is idle. Must be called when {@link SessionPoolOptions.isKept} changes. */
  endIdle(): void {
    if (this.#shared) this.#endIfIdle(this.#shared);
  }

  #start(port: number): ForwardSession {
    const { dial, endSignals, isShareable } = this.#options;
    const isShared = isShareable();
    const session = new ForwardSession(dial, port, endSignals);
    if (isShared) this.#shared = session;
    const retire = () => this.#retire(session);
    session.forwarding.then((forwarding) => {
      if (forwarding.transport === "websocket") return retire();
      this.#shared ??= session;
      void forwarding.connection.closed.then(retire);
    }, retire);
    return session;
  }

  #watch(stream: Duplex, session: ForwardSession): Duplex {
    if (stream.closed) this.#release(session);
    else stream.once("close", () => this.#release(session));
    return stream;
  }

  #release(session: ForwardSession): void {
    session.streamCount--;
    this.#endIfIdle(session);
  }

  /** Gives a session no new streams. It ends with its last one. */
  #retire(session: ForwardSession): void {
    if (this.#shared === session) this.#shared = undefined;
    this.#endIfIdle(session);
  }

  #endIfIdle(session: ForwardSession): void {
    if (session.streamCount > 0 || (session === this.#shared && this.#options.isKept())) return;
    if (this.#shared === session) this.#shared = undefined;
    session.end();
  }
}
