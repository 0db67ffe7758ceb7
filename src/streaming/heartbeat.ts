import { CriError } from "../errors.js";

/** Default interval between the pings of a session, in milliseconds. */
export const defaultPingIntervalMs = 30_000;

/** Capacity of the pipe to a command's stdin: this much input is accepted even if the command reads nothing. */
const pipeBytes = 65_536;

/** Makes the error for a session whose server did not answer a ping. @param hasCommand whether it is an exec or attach */
export function pingTimedOut(intervalMs: number, hasCommand: boolean): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message:
      `the streaming server did not answer a ping within ${intervalMs} ms; the node or the network may be down` +
      (hasCommand ? ", and the command may still be running" : ""),
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

/** CRI's SPDY servers spread frames over this many queues. Pings take them in turn, and unread input can block each of them. */
const serverQueues = 5;

/** The connection that a {@link Heartbeat} watches. */
export interface HeartbeatOptions {
  /** Milliseconds between pings, and the time limit for an answer; 0 sends no pings. */
  intervalMs: number;
  ping(): void;
  /** Returns how many bytes of payload were sent so far. */
  sentBytes(): number;
  /** Returns whether reading is paused for a slow reader, so that no answer can arrive. */
  isReadPaused(): boolean;
  /** Called when no answer arrived in time. */
  onTimeout(): void;
}

/**
 * Sends pings, and reports a peer that sent nothing for a whole interval, not even the answer to a ping.
 *
 * Servers answer pings in the same queues that pass input to the command, and a command that does not read its input blocks its
 * queue. So after more input than a pipe holds, a missing answer proves nothing until each queue has answered a ping sent after the
 * last input. Until then, TCP's retransmissions detect a lost peer.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #hasReceivedSinceTick = true;
  #isAwaitingPong = false;
  #sentAtPing = 0;
  /** Consecutive answers to pings that were sent after all input. */
  #answersAfterInput = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    if (options.intervalMs === 0) return;
    this.#timer = setInterval(() => this.#tick(), options.intervalMs);
    this.#timer.unref();
  }

  /** Records that data arrived. */
  onReceived(): void {
    this.#hasReceivedSinceTick = true;
  }

  /** Records that the answer to the last ping arrived. */
  onPong(): void {
    this.#isAwaitingPong = false;
    this.#answersAfterInput = this.#options.sentBytes() === this.#sentAtPing ? this.#answersAfterInput + 1 : 0;
    this.onReceived();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (!this.#hasTimedOut()) {
      this.#ping();
      return;
    }
    // After a stall of this process the answer may wait in the socket: timers run before sockets are read, immediates after.
    setImmediate(() => {
      if (this.#hasTimedOut()) this.#options.onTimeout();
      else this.#ping();
    });
  }

  #hasTimedOut(): boolean {
    const sent = this.#options.sentBytes();
    const isInputRead = sent === this.#sentAtPing && this.#answersAfterInput >= serverQueues;
    const inputMayBlock = sent > pipeBytes && !isInputRead;
    return this.#isAwaitingPong && !this.#hasReceivedSinceTick && !this.#options.isReadPaused() && !inputMayBlock;
  }

  #ping(): void {
    this.#hasReceivedSinceTick = false;
    // One ping at a time, so that it is clear which one an answer belongs to.
    if (this.#isAwaitingPong) return;
    this.#isAwaitingPong = true;
    const sent = this.#options.sentBytes();
    if (sent !== this.#sentAtPing) this.#answersAfterInput = 0;
    this.#sentAtPing = sent;
    this.#options.ping();
  }
}
