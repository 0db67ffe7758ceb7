import { CriError } from "../errors.js";

/** How often a session sends a ping, in milliseconds, unless its options say otherwise. */
export const defaultPingIntervalMs = 30_000;

/** What always fits into the pipe to a command, read or not. */
const pipeBytes = 65_536;

/** How a session ends whose peer has gone silent. @param hasCommand whether it is an exec or attach */
export function silent(intervalMs: number, hasCommand: boolean): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message:
      `the streaming server did not answer a ping within ${intervalMs} ms; the node or the network may be down` +
      (hasCommand ? ", and the command may still be running" : ""),
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

/** A SPDY server of CRI spreads frames over so many queues, pings in turn, each of which can be blocked by input that is not read. */
const serverQueues = 5;

/** What a {@link Heartbeat} needs of its connection. */
export interface Heart {
  /** Milliseconds between pings, and the time that an answer may take; 0 for no pings. */
  intervalMs: number;
  ping(): void;
  /** How many bytes of payload were sent so far. */
  sentBytes(): number;
  /** Whether reading waits for a slow reader, so that nothing can arrive. */
  isHeld(): boolean;
  /** No answer came in time. */
  onSilence(): void;
}

/**
 * Sends pings, and reports a peer that is gone without a word: one from which nothing arrives, not even the answer to a ping, for
 * a whole interval.
 *
 * Servers answer pings in the queues through which they also hand input to the command, and a command that does not read its input
 * blocks its queue. So a missed answer proves nothing once more input was sent than a pipe takes, until each queue has answered a
 * ping behind the last of it. Meanwhile TCP's own retransmissions watch over the connection.
 */
export class Heartbeat {
  readonly #heart: Heart;
  readonly #timer: NodeJS.Timeout | undefined;
  #heardSinceTick = true;
  #isAwaitingPong = false;
  #sentAtPing = 0;
  /** Answers in a row to pings behind all that was sent. */
  #answersBehindInput = 0;

  constructor(heart: Heart) {
    this.#heart = heart;
    if (heart.intervalMs === 0) return;
    this.#timer = setInterval(() => this.#tick(), heart.intervalMs);
    this.#timer.unref();
  }

  /** Something arrived. */
  heard(): void {
    this.#heardSinceTick = true;
  }

  /** The answer to the last ping arrived. */
  answered(): void {
    this.#isAwaitingPong = false;
    this.#answersBehindInput = this.#heart.sentBytes() === this.#sentAtPing ? this.#answersBehindInput + 1 : 0;
    this.heard();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (!this.#isSilent()) {
      this.#beat();
      return;
    }
    // After a stall of this process the answer may wait in the socket: timers run before sockets are read, immediates after.
    setImmediate(() => {
      if (this.#isSilent()) this.#heart.onSilence();
      else this.#beat();
    });
  }

  #isSilent(): boolean {
    const sent = this.#heart.sentBytes();
    const isTaken = sent === this.#sentAtPing && this.#answersBehindInput >= serverQueues;
    const inputMayBlock = sent > pipeBytes && !isTaken;
    return this.#isAwaitingPong && !this.#heardSinceTick && !this.#heart.isHeld() && !inputMayBlock;
  }

  #beat(): void {
    this.#heardSinceTick = false;
    // One at a time, so that an answer tells which one it is for.
    if (this.#isAwaitingPong) return;
    this.#isAwaitingPong = true;
    const sent = this.#heart.sentBytes();
    if (sent !== this.#sentAtPing) this.#answersBehindInput = 0;
    this.#sentAtPing = sent;
    this.#heart.ping();
  }
}
