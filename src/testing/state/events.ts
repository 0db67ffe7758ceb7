import { onAbort } from "../../internal/abort.js";
import { ContainerEventResponse } from "../../proto.js";
import type { EventMode } from "../flavors/profile.js";

/** How many events are buffered while there is no subscriber. */
const maxBufferedEvents = 1_000;

type Subscriber = (event: ContainerEventResponse) => void;

/** Delivers container and sandbox events to subscribers. */
export class EventHub {
  readonly #subscribers = new Set<Subscriber>();
  #buffered: ContainerEventResponse[] = [];
  #turn = 0;

  constructor(readonly mode: EventMode) {}

  /** How many clients are subscribed. */
  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  emit(event: Parameters<typeof ContainerEventResponse.fromPartial>[0]): void {
    if (this.mode === "off") return;
    const message = ContainerEventResponse.fromPartial(event);
    if (this.#subscribers.size === 0) {
      this.#buffered.push(message);
      if (this.#buffered.length > maxBufferedEvents) this.#buffered.shift();
      return;
    }
    const subscribers = [...this.#subscribers];
    if (this.mode === "shared") (subscribers[this.#turn++ % subscribers.length] as Subscriber)(message);
    else for (const subscriber of subscribers) subscriber(message);
  }

  /** Yields the buffered events, then those from now on. Throws the signal's reason when it aborts. */
  async *subscribe(signal: AbortSignal): AsyncGenerator<ContainerEventResponse> {
    if (this.mode === "off") return;
    const queue = this.#buffered;
    this.#buffered = [];
    let wake: () => void = () => {};
    const subscriber: Subscriber = (event) => {
      queue.push(event);
      wake();
    };
    const unlisten = onAbort(signal, () => wake());
    this.#subscribers.add(subscriber);
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      throw signal.reason;
    } finally {
      unlisten();
      this.#subscribers.delete(subscriber);
    }
  }
}
