import { CriError, InvalidInputError } from "../../errors.js";
import { type CallOptions, defaultRelistMs } from "../../options.js";
import { ContainerState, type ContainerStatus, PodSandboxState, type PodSandboxStatus } from "../../proto.js";
import { type Budget, startBudget } from "../../rpcs/budget.js";
import { containerStatus } from "../../rpcs/containers.js";
import { podSandboxStatus } from "../../rpcs/pods.js";
import type { ClientContext } from "../context.js";
import { idOf } from "../target.js";
import type { CriEvent } from "./event.js";
import type { WatchMember } from "./watch-member.js";

/** A pod or container to wait for: a handle, or an object with its kind and id. */
export type WaitTarget = { readonly kind: "pod" | "container"; readonly id: string };

/** The status of what is waited for. */
export type StatusOf<Target extends WaitTarget> = Target extends { readonly kind: "pod" }
  ? PodSandboxStatus
  : ContainerStatus;

/**
 * Waits until the status of a pod or container is as wanted. The status is the only judge; the watch says when to ask for it,
 * and it is asked for every {@link WatchSettings.relistMs} besides. A runtime that goes away meanwhile is waited for.
 */
export async function waitFor<Target extends WaitTarget>(
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
  const ask = target.kind === "pod" ? podSandboxStatus : containerStatus;
  const look = async () => (await ask(connection, id, false, budget.options())).status as StatusOf<Target>;

  // A runtime that does not even answer the first time is not one that went away.
  const first = await look();
  if (wanted(first)) return first;
  let last = first;
  const waiter = new Waiter(first.id);
  const leave = context.watcher.join(waiter);
  const { relistMs = defaultRelistMs } = connection.options.watch ?? {};
  try {
    for (;;) {
      await waiter.next(budget, relistMs);
      const exit = waiter.takeExit() as StatusOf<Target> | undefined;
      if (exit && wanted(exit)) return exit;
      // After an exit that is not wanted as well: a container that has been removed meanwhile is NOT_FOUND at once.
      const status = await look().catch(absentRuntime);
      if (status && wanted(status)) return status;
      last = status ?? last;
    }
  } catch (error) {
    const isTooLate = CriError.is(error, "DEADLINE_EXCEEDED") && (budget.leftMs() ?? 1) <= 0;
    throw isTooLate ? stillWaiting(error, stateOf(target, last), connection.endpoint) : error;
  } finally {
    leave();
  }
}

function stateOf({ kind }: WaitTarget, { id, state }: PodSandboxStatus | ContainerStatus): string {
  const name = kind === "pod" ? PodSandboxState[state] : ContainerState[state];
  return `${kind} ${id} was last seen in the state ${name ?? state}`;
}

function stillWaiting({ code, details, method, attempts }: CriError, state: string, endpoint: string): CriError {
  return new CriError({ code, message: `${details}; ${state}`, method, endpoint, attempts });
}

function absentRuntime(error: unknown): undefined {
  if (!CriError.is(error, "UNAVAILABLE")) throw error;
}

/** Sifts the events of the watch for those of one pod or container. */
class Waiter implements WatchMember {
  readonly #id: string;
  #news = new AbortController();
  #exit: ContainerStatus | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  /** Resolves at the next piece of news, or at once if there was one since the last time; after a while in any case. */
  async next(budget: Budget, mostMs: number): Promise<void> {
    await budget.sleep(mostMs, this.#news.signal);
    this.#news = new AbortController();
  }

  /** The status that came with the news of an exit; once. */
  takeExit(): ContainerStatus | undefined {
    const exit = this.#exit;
    this.#exit = undefined;
    return exit;
  }

  exited(status: ContainerStatus): void {
    if (status.id !== this.#id) return;
    this.#exit = status;
    this.#news.abort();
  }

  changed(events: readonly CriEvent[]): void {
    for (const event of events) {
      const subject = event.type === "resync" ? undefined : "pod" in event ? event.pod : event.container;
      if (subject && subject.id !== this.#id) continue;
      if (event.type === "containerExited") this.#exit ??= event.status;
      this.#news.abort();
    }
  }

  // A runtime that is away is waited for, and that the client was closed shows on the next look.
  failed(): void {}
}
