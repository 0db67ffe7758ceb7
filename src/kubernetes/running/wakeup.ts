import { linkAbort } from "../../internal/abort.js";
import type { Clock } from "./probes/probe-clock.js";

/** Lets a loop wait until something happens, or until a time. A wake-up during the loop's work ends its next wait at once. */
export class Wakeup {
  readonly #clock: Clock;
  #isPending = false;
  #wake = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake = (): void => {
    this.#isPending = true;
    this.#wake();
  };

  /**
   * Waits.
   *
   * @param until milliseconds since the epoch; `undefined` waits for a wake-up only
   */
  async wait(until: number | undefined, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#isPending) {
      const link = linkAbort(signal);
      const awake = new DOMException("Woken.", "AbortError");
      this.#wake = () => link.abort(awake);
      try {
        await this.#clock.sleep(
          until === undefined ? Number.MAX_SAFE_INTEGER : Math.max(0, until - this.#clock.now()),
          link.signal,
        );
      } catch (error) {
        if (error !== awake) throw error;
      } finally {
        link.unlink();
        this.#wake = () => {};
      }
    }
    this.#isPending = false;
  }
}
