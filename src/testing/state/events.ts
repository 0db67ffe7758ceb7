import { onAbort } from "../../internal/abort.js";
import { ContainerEventResponse } from "../../proto.js";
import type { EventMode } from "../flavors/profile.js";

/** How many events are kept while nobody listens. */
const keepAtMost = 1_000;

type Subscriber = (event: ContainerEventResponse) => void;

/** Container and sandbox events on their way to whoever listens. */
export class EventHub {
  readonly #subscribers = new Set<Subscriber>();
  #kept: ContainerEventResponse[] = [];
  #turn = 0;

  constructor(readonly mode: EventMode) {}

  /** How many clients listen. */
  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  emit(event: Parameters<typeof ContainerEventResponse.fromPartial>[0]): void {
    if (this.mode === "off") return;
    const message = ContainerEventResponse.fromPartial(event);
    if (this.#subscribers.size === 0) {
      this.#kept.push(message);
      if (this.#kept.length > keepAtMost) this.#kept.shift();
      return;
    }
    const listening = [...this.#subscribers];
    if (this.mode === "shared") (listening[this.#turn++ % listening.length] as Subscriber)(message);
    else for (const subscriber of listening) subscriber(message);
  }

  /** Events from now on, and before them those that nobody heard. Ends when the signal aborts. */
  async *subscribe(signal: AbortSignal): AsyncGenerator<ContainerEventResponse> {
    if (this.mode === "off") return;
    const queue = this.#kept;
    this.#kept = [];
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
