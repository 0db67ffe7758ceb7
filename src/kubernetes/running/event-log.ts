import { onAbort } from "../../internal/abort.js";
import { CriStream } from "../../internal/stream.js";
import type { RunningPodEvent } from "./pod-event.js";

/** The number of events to keep. A pod that restarts every five minutes has that many in a day. */
const maxEvents = 1_000;

/** The latest events of a pod, and the streams of them. */
export class EventLog {
  #events: RunningPodEvent[] = [];
  /** The number of events that were dropped from the beginning of the list. */
  #dropped = 0;
  #isClosed = false;
  readonly #wakers = new Set<() => void>();

  add(event: RunningPodEvent): void {
    if (this.#isClosed) return;
    this.#events.push(event);
    if (this.#events.length > maxEvents) {
      this.#events.shift();
      this.#dropped++;
    }
    this.#wake();
  }

  /** Ends all streams once they have read all events. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Returns a stream of the events so far and of all later ones. */
  stream(signal: AbortSignal | undefined): CriStream<RunningPodEvent> {
    return new CriStream((reading) => this.#batches(reading), signal);
  }

  async *#batches(signal: AbortSignal): AsyncGenerator<readonly RunningPodEvent[]> {
    for (let next = 0; !signal.aborted; ) {
      const events = this.#events.slice(Math.max(0, next - this.#dropped));
      if (events.length > 0) {
        next = this.#dropped + this.#events.length;
        yield events;
      } else if (this.#isClosed) return;
      else await this.#nextEvent(signal);
    }
  }

  #nextEvent(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakers.delete(wake);
        unlisten();
        resolve();
      };
      const unlisten = onAbort(signal, wake);
      this.#wakers.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}
