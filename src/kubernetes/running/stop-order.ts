import { linkAbort, onAbort } from "../../internal/abort.js";
import type { ContainerPlan } from "../planning/pod-plan-types.js";
import type { Clock } from "./probes/probe-clock.js";

/**
 * The order in which the containers of a pod stop: the main containers at once, then the sidecars one by one, the last one first.
 * A container waits at most for its grace period.
 */
export class StopOrder {
  readonly #clock: Clock;
  /** The containers that each container waits for. */
  readonly #predecessors = new Map<string, readonly string[]>();
  /** Aborts when the container has ended. */
  readonly #ends = new Map<string, AbortController>();

  /** @param running the names of the containers to stop */
  constructor(containers: readonly Pick<ContainerPlan, "name" | "kind">[], running: ReadonlySet<string>, clock: Clock) {
    this.#clock = clock;
    const sidecars = containers.filter(({ kind }) => kind === "sidecar").map(({ name }) => name);
    const others = containers.filter(({ kind }) => kind !== "sidecar").map(({ name }) => name);
    for (const [index, name] of sidecars.entries())
      this.#predecessors.set(name, [...others, ...sidecars.slice(index + 1)]);
    for (const name of running) this.#ends.set(name, new AbortController());
  }

  /** Waits until the containers before this one have ended, at most for the time. Rejects with the signal's reason. */
  async waitForTurn(name: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const ends = (this.#predecessors.get(name) ?? []).flatMap((one) => this.#ends.get(one)?.signal ?? []);
    const left = new Set(ends.filter(({ aborted }) => !aborted));
    if (left.size === 0) return;
    const link = linkAbort(signal);
    const turn = new DOMException("All earlier containers have ended.", "AbortError");
    const unlisten = [...left].map((end) =>
      onAbort(end, () => {
        left.delete(end);
        if (left.size === 0) link.abort(turn);
      }),
    );
    try {
      await this.#clock.sleep(timeoutMs, link.signal);
    } catch (error) {
      if (error !== turn) throw error;
    } finally {
      for (const remove of unlisten) remove();
      link.unlink();
    }
  }

  /** Records that a container has ended, or could not be stopped. */
  ended(name: string): void {
    this.#ends.get(name)?.abort();
  }
}
