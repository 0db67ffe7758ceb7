import { CriError } from "../../errors.js";
import { type CallOptions, defaultPollMs, defaultRelistMs, type WatchSource } from "../../options.js";
import { type ContainerEventResponse, ContainerState } from "../../proto.js";
import { type Budget, startBudget } from "../../rpcs/budget.js";
import type { Connection } from "../../transport/connection.js";
import { log } from "../../transport/logging.js";
import { diff } from "./diff.js";
import { type CriEvent, type NodeState, resync } from "./event.js";
import { ObservationLog } from "./observations.js";
import { observeExits, relist } from "./relist.js";
import { RuntimeEvents } from "./runtime-events.js";
import type { WatchMember } from "./watch-member.js";

/** The pause after the first relist. Each further pause is twice as long, up to the interval. */
const firstPauseMs = 25;

/** The step of the pauses after an event or a change: they are 200, 400, 800 ms. More changes are likely, but not at once. */
const stepAfterEvent = 3;

/** The limit for the lists of a new watch while events keep arriving. After that, events count as changes. */
const maxFirstLists = 5;

/**
 * Relists a node periodically and reports the differences to its members. Only the lists decide what exists. The runtime's events
 * trigger a relist at once, and add what was created and removed between two relists. One relist runs at a time: requests that
 * arrive meanwhile share the next one.
 */
export class Watch {
  readonly #connection: Connection;
  /** The members, and whether each has received its first state. */
  readonly #members = new Map<WatchMember, boolean>();
  readonly #closing = new AbortController();
  readonly #budget: Budget;
  readonly #runtimeEvents: RuntimeEvents;
  readonly #observations = new ObservationLog();
  #state: NodeState | undefined;
  /** Events may have been missed, and the members have not received a `resync` since. */
  #hasGap = false;
  #isRuntimeDown = false;
  #pauseStep = 0;
  #isRelistRequested = false;
  #endPause = () => {};

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#budget = startBudget(connection, { signal: this.#closing.signal, timeoutMs: 0 }, undefined);
    this.#runtimeEvents = new RuntimeEvents(connection, {
      received: (event) => {
        if (!this.#observations.add(event)) this.#hasGap = true;
        this.#reportExits(event);
        this.#requestRelist(stepAfterEvent);
      },
      interrupted: () => {
        this.#hasGap = true;
        this.#requestRelist(stepAfterEvent);
      },
    });
    void this.#run();
  }

  get source(): WatchSource | undefined {
    return this.#runtimeEvents.source;
  }

  join(member: WatchMember): void {
    this.#members.set(member, false);
    this.#requestRelist(0);
  }

  /** Removes a member. The watch ends when its last member leaves. */
  leave(member: WatchMember): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#closing.abort();
  }

  get hasEnded(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Reports exits before the next relist, which takes long on a busy node. */
  #reportExits({ containersStatuses }: ContainerEventResponse): void {
    for (const status of containersStatuses) {
      if (status.state !== ContainerState.CONTAINER_EXITED) continue;
      for (const member of [...this.#members.keys()]) member.exited?.(status);
    }
  }

  /** Relists as soon as possible, and continues with the pauses from `step` on. */
  #requestRelist(step: number): void {
    this.#pauseStep = Math.min(this.#pauseStep, step);
    this.#isRelistRequested = true;
    this.#endPause();
  }

  async #run(): Promise<void> {
    try {
      // The creator of this watch joins before the first relist.
      await undefined;
      for (;;) {
        const startedAt = performance.now();
        this.#isRelistRequested = false;
        await this.#update();
        await this.#pause(performance.now() - startedAt);
      }
    } catch (reason) {
      // The last member left, or the client was closed.
      this.#closing.abort();
      for (const member of [...this.#members.keys()]) member.failed(reason);
    }
  }

  /** Relists and reports. A relist that fails changes nothing. */
  async #update(): Promise<void> {
    const newMembers = [...this.#members].filter(([, hasState]) => !hasState).map(([member]) => member);
    const { signal } = this.#closing;
    try {
      // New members receive the error, so their relist is retried first.
      const options = { signal, retry: newMembers.length > 0 ? undefined : (false as const) };
      await this.#runtimeEvents.open(options);
      if (this.#state) await this.#relist(this.#state, newMembers, options);
      else this.#report([], await this.#firstState(options), newMembers);
      this.#isRuntimeDown = false;
    } catch (reason) {
      if (signal.aborted || CriError.is(reason, "CLIENT_CLOSED")) throw reason;
      if (!this.#isRuntimeDown) {
        const { endpoint, options } = this.#connection;
        const fields = { endpoint, error: String(reason) };
        log(options.logger, "warn", "pods and containers could not be listed; the watch keeps retrying", fields);
      }
      this.#isRuntimeDown = this.#hasGap = true;
      this.#runtimeEvents.resetSource();
      for (const member of newMembers) member.failed(reason);
    }
  }

  /**
   * Lists until no event arrives in the meantime. Events that arrived before the lists were requested are dropped, because the
   * lists contain their effects: containerd 2 replays the events of five minutes to its first subscriber. The order of arrival
   * decides, because the clocks of client and runtime may differ, and either may step.
   */
  async #firstState(options: CallOptions): Promise<NodeState> {
    for (let round = 1; ; round++) {
      const { eventCount } = this.#observations;
      const history = this.#observations.take();
      const state = await relist(this.#connection, options);
      this.#observations.dropHistory(history, state);
      if (this.#observations.eventCount === eventCount || round === maxFirstLists) return state;
      await this.#budget.sleep((round - 1) * firstPauseMs);
    }
  }

  async #relist(before: NodeState, newMembers: readonly WatchMember[], options: CallOptions): Promise<void> {
    const observed = this.#observations.take();
    const after = await relist(this.#connection, options);
    await observeExits(this.#connection, before, after, observed, options);
    this.#observations.complete(observed, before, after);
    this.#report(diff(before, after, observed, new Date()), after, newMembers);
  }

  #report(changes: readonly CriEvent[], after: NodeState, newMembers: readonly WatchMember[]): void {
    for (const event of changes) {
      if (event.type === "podRemoved") this.#observations.forget(event.pod.id);
      if (event.type === "containerRemoved") this.#observations.forget(event.container.id);
    }
    const state = changes.length > 0 || !this.#state ? after : this.#state;
    this.#state = state;
    if (changes.length > 0) this.#pauseStep = Math.min(this.#pauseStep, stepAfterEvent);
    const events = [...changes];
    if (this.#hasGap && this.#runtimeEvents.isSettled) {
      this.#hasGap = false;
      events.push(resync("gap", state));
    }
    for (const [member, hasState] of [...this.#members]) {
      if (hasState && events.length > 0) member.changed(events, state);
    }
    for (const member of newMembers) {
      if (!this.#members.has(member)) continue;
      this.#members.set(member, true);
      member.changed([resync("initial", state)], state);
    }
  }

  /** Pauses for at least twice the duration of the relist, or `pollMs` if that is shorter, to limit the load on a busy runtime. */
  async #pause(relistDurationMs: number): Promise<void> {
    const { pollMs = defaultPollMs, relistMs = defaultRelistMs } = this.#connection.options.watch ?? {};
    const intervalMs = this.#runtimeEvents.source === "events" && !this.#isRuntimeDown ? relistMs : pollMs;
    const pauseMs = Math.min(intervalMs, firstPauseMs * 2 ** this.#pauseStep++);
    const minPauseMs = Math.min(2 * relistDurationMs, pollMs);
    await this.#budget.sleep(minPauseMs);
    if (this.#isRelistRequested) return;
    const pauseEnd = new AbortController();
    this.#endPause = () => pauseEnd.abort();
    // After an outage, the clients of one runtime must not relist in step.
    const jitter = this.#isRuntimeDown ? 0.5 + Math.random() / 2 : 1;
    await this.#budget.sleep(Math.max(0, pauseMs * jitter - minPauseMs), pauseEnd.signal);
  }
}
