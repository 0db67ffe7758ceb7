import type { Budget } from "../calls/budget.js";
import { containerEvents } from "../calls/events.js";
import { version } from "../calls/runtime.js";
import { sleep } from "../internal/timer.js";
import { ContainerEventType } from "../proto.js";
import type { Connection } from "../transport/connection.js";

/** How often to look while events tell of exits: a backstop. */
const backstopMs = 5_000;

/** How often to look otherwise: soon at first, for short-lived containers, then once a second. */
const pollMs = (round: number) => Math.min(1_000, 25 * 2 ** Math.min(round, 6));

/** How long to do without events after their stream ended or failed. */
const retryEventsMs = 5_000;

/**
 * One event stream for all waiters of a client, open only while there are any. Events are hints that make waiters look sooner;
 * nothing depends on one that is lost.
 */
export class ExitWatch {
  readonly #connection: Connection;
  readonly #waiters = new Set<ExitWaiter>();
  #following: AbortController | undefined;
  #live = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether events are coming in. */
  get live(): boolean {
    return this.#live;
  }

  /** Takes part in the watch until the waiter is closed. */
  join(containerId: string): ExitWaiter {
    const waiter: ExitWaiter = new ExitWaiter(this, containerId, () => {
      this.#waiters.delete(waiter);
      if (this.#waiters.size > 0) return;
      this.#following?.abort();
      this.#following = undefined;
      this.#live = false;
    });
    this.#waiters.add(waiter);
    if (!this.#following) {
      this.#following = new AbortController();
      void this.#follow(this.#following.signal).catch(() => {});
    }
    return waiter;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      const startedAt = performance.now();
      try {
        if (!(await this.#eventsAreTrustworthy(signal))) return;
        for await (const event of containerEvents(this.#connection, { signal })) {
          this.#live = true;
          const { CONTAINER_STOPPED_EVENT, CONTAINER_DELETED_EVENT } = ContainerEventType;
          if (![CONTAINER_STOPPED_EVENT, CONTAINER_DELETED_EVENT].includes(event.containerEventType)) continue;
          for (const waiter of this.#waiters) waiter.hint(event.containerId);
        }
        // CRI-O without pod events ends the stream at once and calls that OK.
        if (performance.now() - startedAt < 1_000) return;
      } catch {
        // Whatever it was, polling goes on; the stream is tried again while there are waiters.
      }
      if (!signal.aborted) this.#live = false;
      await sleep(retryEventsMs, signal);
    }
  }

  /**
   * containerd 1.6 has no events, and the subscribers of 1.7 take them from one another, the kubelet's included: a library must
   * keep its hands off those.
   */
  async #eventsAreTrustworthy(signal: AbortSignal): Promise<boolean> {
    const { runtimeName, runtimeVersion } = await version(this.#connection, { signal });
    const major = Number(/\d+/.exec(runtimeVersion)?.[0] ?? 0);
    return runtimeName === "cri-o" || (runtimeName === "containerd" && major >= 2);
  }
}

/** One waiter's place in the watch. */
export class ExitWaiter {
  readonly #watch: ExitWatch;
  readonly #containerId: string;
  readonly #leave: () => void;
  #wake = () => {};
  #hinted = false;
  #round = 0;

  /** @internal */
  constructor(watch: ExitWatch, containerId: string, leave: () => void) {
    this.#watch = watch;
    this.#containerId = containerId;
    this.#leave = leave;
  }

  /** An event named a container: if it is this one, look at it now, and soon again in case the status lags behind. */
  hint(containerId: string): void {
    // The waiter may know only a unique beginning of the id.
    if (!containerId.startsWith(this.#containerId)) return;
    this.#hinted = true;
    this.#round = 0;
    this.#wake();
  }

  /** Resolves when it is time to look at the container again; rejects as {@link Budget.sleep} does. */
  async nextLook(budget: Budget): Promise<void> {
    const pauseMs = this.#watch.live && this.#round > 3 ? backstopMs : pollMs(this.#round);
    this.#round++;
    if (this.#hinted) {
      this.#hinted = false;
      return;
    }
    const nap = new AbortController();
    this.#wake = () => nap.abort();
    await budget.sleep(pauseMs, nap.signal);
    this.#hinted = false;
  }

  /** Leaves the watch; the last one to leave closes the event stream. */
  close(): void {
    this.#leave();
  }
}
