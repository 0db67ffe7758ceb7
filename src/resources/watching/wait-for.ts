import { CriError, InvalidInputError } from "../../errors.js";
import { type CallOptions, defaultRelistMs } from "../../options.js";
import { ContainerState, type ContainerStatus, PodSandboxState, type PodSandboxStatus } from "../../proto.js";
import { type Budget, startBudget } from "../../rpcs/budget.js";
import { containerStatus } from "../../rpcs/containers.js";
import { podSandboxStatus } from "../../rpcs/pods.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { ClientContext } from "../context.js";
import { idOf } from "../target.js";
import type { CriEvent } from "./event.js";
import type { Subscriber } from "./subscriber.js";

/** A pod or container to wait for: a handle, or an object with its kind and id. */
export type WaitTarget = { readonly kind: "pod" | "container"; readonly id: string };

/** The status of a target. */
export type StatusOf<Target extends WaitTarget> = Target extends { readonly kind: "pod" }
  ? PodSandboxStatus
  : ContainerStatus;

/**
 * Waits until the status of a pod or container satisfies `wanted`. Polls the status after every event about the target, and every
 * {@link WatchSettings.relistMs}. If the runtime goes down after the first poll, polling continues.
 */
export const waitFor = asWorkflow(
  { name: "waitFor", subject: ([, target]) => targetIds(target) },
  pollUntil,
) as typeof pollUntil;

async function pollUntil<Target extends WaitTarget>(
  context: ClientContext,
  target: Target,
  wanted: (status: StatusOf<Target>) => boolean,
  options?: CallOptions,
): Promise<StatusOf<Target>> {
  if (typeof target !== "object" || target === null) {
    throw new InvalidInputError({
      field: "target",
      message: "must be the handle of a pod or container",
      value: target,
    });
  }
  const { connection } = context;
  const budget = startBudget(connection, options, undefined);
  const id = idOf(target, target.kind);
  const fetchStatus = target.kind === "pod" ? podSandboxStatus : containerStatus;
  const poll = async () => (await fetchStatus(connection, id, false, budget.options())).status as StatusOf<Target>;

  // The first poll rejects if the runtime is unavailable; later polls ignore outages.
  const first = await poll();
  if (wanted(first)) return first;
  let last = first;
  const waiter = new Waiter(first.id);
  const unsubscribe = context.watcher.subscribe(waiter);
  const { relistMs = defaultRelistMs } = connection.options.watch ?? {};
  try {
    for (;;) {
      await waiter.waitForEvent(budget, relistMs);
      const exit = waiter.takeExit() as StatusOf<Target> | undefined;
      if (exit && wanted(exit)) return exit;
      // Polls even after an exit: if the container has been removed since, the wait fails with NOT_FOUND at once.
      const status = await poll().catch(ignoreOutage);
      if (status && wanted(status)) return status;
      last = status ?? last;
    }
  } catch (error) {
    // Whatever the time says: the timer of the last poll may fire some milliseconds early.
    const hasTimedOut = CriError.is(error, "DEADLINE_EXCEEDED") && budget.leftMs() !== undefined;
    throw hasTimedOut ? withLastState(error, describeState(target, last), connection.endpoint) : error;
  } finally {
    unsubscribe();
  }
}

function targetIds(target: WaitTarget | undefined) {
  return { [target?.kind === "pod" ? "podSandboxId" : "containerId"]: target?.id };
}

function describeState({ kind }: WaitTarget, { id, state }: PodSandboxStatus | ContainerStatus): string {
  const name = kind === "pod" ? PodSandboxState[state] : ContainerState[state];
  return `the last known state of ${kind} ${id} is ${name ?? state}`;
}

function withLastState({ code, details, method, attempts }: CriError, state: string, endpoint: string): CriError {
  return new CriError({ code, message: `${details}; ${state}`, method, endpoint, attempts });
}

function ignoreOutage(error: unknown): undefined {
  if (!CriError.is(error, "UNAVAILABLE")) throw error;
}

/** Waits for the events of one pod or container. */
class Waiter implements Subscriber {
  readonly #id: string;
  #event = new AbortController();
  #exit: ContainerStatus | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  /** Resolves at once if an event has arrived since the last call, otherwise at the next event or after `maxMs`. */
  async waitForEvent(budget: Budget, maxMs: number): Promise<void> {
    await budget.sleep(maxMs, this.#event.signal);
    this.#event = new AbortController();
  }

  /** Returns the status of the last reported exit, and forgets it. */
  takeExit(): ContainerStatus | undefined {
    const exit = this.#exit;
    this.#exit = undefined;
    return exit;
  }

  exited(status: ContainerStatus): void {
    if (status.id !== this.#id) return;
    this.#exit = status;
    this.#event.abort();
  }

  changed(events: readonly CriEvent[]): void {
    for (const event of events) {
      const subject = event.type === "resync" ? undefined : "pod" in event ? event.pod : event.container;
      if (subject && subject.id !== this.#id) continue;
      if (event.type === "containerExited") this.#exit ??= event.status;
      this.#event.abort();
    }
  }

  // A wait survives outages. If the client was closed, the next poll rejects.
  failed(): void {}
}
