import type { ContainerPlan, PodPlanParts } from "../planning/pod-plan-types.js";
import { BackOff, retryPauses } from "./back-off.js";
import { attemptsOf, type ObservedPod } from "./observed-pod.js";
import type { PodContext } from "./runner-context.js";
import type { StartFailure } from "./start-failure.js";

/** Why a container does not run. */
export interface Waiting {
  readonly reason: string;
  readonly message: string;
  /** When that was recorded, in milliseconds since the epoch. */
  readonly since: number;
  /** When it is tried again. */
  readonly retryAt: number;
}

/** Delays the restarts of containers that exit, and of containers that cannot be started. */
export class RestartDelays {
  readonly #context: PodContext;
  readonly #pod: string;
  readonly #exits: BackOff;
  readonly #failures = new BackOff(retryPauses);
  readonly #waiting = new Map<string, Waiting>();

  constructor(context: PodContext, { pod, uid, node }: Pick<PodPlanParts, "pod" | "uid" | "node">) {
    const { name, namespace = "default" } = pod.metadata;
    this.#context = context;
    this.#pod = `${name}_${namespace}(${uid})`;
    this.#exits = new BackOff({ maxMs: node.maxRestartDelayMs });
  }

  /** Why containers do not run, by their names. */
  get waiting(): ReadonlyMap<string, Waiting> {
    return this.#waiting;
  }

  /**
   * Returns whether a container may be started now. If so, its next restart takes longer.
   *
   * @param observed the pod before this start: its exits count
   */
  mayStart({ name }: ContainerPlan, observed: ObservedPod): boolean {
    const now = this.#context.clock.now();
    const waiting = this.#waiting.get(name);
    // The clock may be set back: a delay never takes longer than planned.
    if (waiting && waiting.retryAt > now && waiting.since <= now) return false;
    const last = attemptsOf(observed, name).find(({ state }) => state !== "running");
    if (!last) return true;
    const failedAt = Math.min(last.finishedAt || last.createdAt, now);
    const retryAt = this.#exits.readyAt(last.name, failedAt);
    if (retryAt > now && waiting?.reason !== "CrashLoopBackOff") {
      const seconds = Math.round((retryAt - failedAt) / 1000);
      const message = `back-off ${seconds}s restarting failed container=${name} pod=${this.#pod}`;
      this.#waiting.set(name, { reason: "CrashLoopBackOff", message, since: now, retryAt });
      this.#context.emit("BackOff", `Back-off restarting failed container ${name} in pod ${this.#pod}`, name);
      return false;
    }
    this.#exits.next(name, failedAt, now);
    return true;
  }

  /** Records that a container could not be started. */
  failed(name: string, error: StartFailure): void {
    const now = this.#context.clock.now();
    this.#failures.next(name, now, now);
    const retryAt = error.retryAt ?? this.#failures.readyAt(name, now);
    this.#waiting.set(name, { reason: error.reason, message: error.message, since: now, retryAt });
  }

  /** Records that a container was started. */
  started(name: string): void {
    this.#failures.reset(name);
    this.#waiting.delete(name);
  }

  /** Returns when containers may be tried again. Some of these times may have passed: those of containers that do not restart. */
  retryTimes(): number[] {
    return [...this.#waiting.values()].map(({ retryAt }) => retryAt);
  }
}
