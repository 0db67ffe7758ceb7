import { CriError } from "../../errors.js";
import { NoLongerNeeded } from "../../internal/abort.js";
import { toDate } from "../../internal/time.js";
import { type CallOptions, defaultPollMs, defaultRelistMs, type WatchSource } from "../../options.js";
import { type ContainerEventResponse, ContainerState } from "../../proto.js";
import { type Budget, startBudget } from "../../rpcs/budget.js";
import { backgroundStep } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { log } from "../../transport/logging.js";
import { diff } from "./diff.js";
import { type CriEvent, type NodeState, resync } from "./event.js";
import { ObservationLog } from "./observations.js";
import { NodeLists, observeExits } from "./relist.js";
import { RuntimeEvents } from "./runtime-events.js";
import type { Subscriber } from "./subscriber.js";

/** The pause after the first relist. Each further pause is twice as long, up to the interval. */
const firstPauseMs = 25;

/** The step of the pauses after an event or a change: they are 200, 400, 800 ms. More changes are likely, but not at once. */
const stepAfterEvent = 3;

/** Where the runtime has events, the pauses end with this step. Later changes cause events. */
const lastStepWithEvents = 5;

/** The shortest pauses between relists while events keep arriving are 25, 50, 100 and 200 ms. */
const maxBurstStep = 3;

/**
 * How long after the first lists, or after the last replayed event, another may follow, in milliseconds. containerd 2 sends its replay
 * within about 30 ms, on a busy machine within more than 250 ms, and never says where it ends.
 */
const replayMs = 1_000;

/** How long after the first lists a replay ends at the latest, in milliseconds. */
const maxReplayMs = 10_000;

/** The limit for the relists of a new watch while events keep arriving. Events that arrive after the last one count as changes. */
const maxFirstLists = 5;

/**
 * Relists a node periodically and reports the differences to its subscribers. Only the lists decide which objects exist. An event
 * of the runtime triggers a relist at once. Events also reveal objects that were created and removed between two relists. One
 * relist runs at a time: requests that arrive meanwhile share the next one.
 */
export class Watch {
  readonly #connection: Connection;
  /** The subscribers, and whether each has received its first state. */
  readonly #subscribers = new Map<Subscriber, boolean>();
  readonly #closing = new AbortController();
  readonly #budget: Budget;
  readonly #runtimeEvents: RuntimeEvents;
  readonly #lists = new NodeLists();
  readonly #observations = new ObservationLog();
  #state: NodeState | undefined;
  /** Whether events may have been missed since the last `resync`. */
  #hasGap = false;
  #isRuntimeDown = false;
  /** Events that were created before a time are replayed until another, which each of them moves up to the last. */
  #replay = { before: new Date(0), until: 0, last: 0 };
  #pauseStep = 0;
  #isRelistRequested = false;
  /** The number of relists in a row that were requested before the pause had its full length. */
  #burst = 0;
  #endPause = () => {};

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#budget = startBudget(connection, { signal: this.#closing.signal, timeoutMs: 0 }, undefined);
    this.#runtimeEvents = new RuntimeEvents(connection, {
      received: (event) => {
        if (this.#state && this.#isReplayed(event)) this.#observations.ignoreUnlisted(event, this.#state);
        else if (!this.#observations.add(event)) this.#hasGap = true;
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

  add(subscriber: Subscriber): void {
    this.#subscribers.set(subscriber, false);
    this.#requestRelist(0);
  }

  /** Removes a subscriber. The watch ends with the last one. */
  remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#closing.abort(new NoLongerNeeded("The watch has no subscribers."));
  }

  get hasEnded(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Reports exits at once, because the next relist takes long on a busy node. */
  #reportExits({ containersStatuses }: ContainerEventResponse): void {
    for (const status of containersStatuses) {
      if (status.state !== ContainerState.CONTAINER_EXITED) continue;
      for (const subscriber of [...this.#subscribers.keys()]) subscriber.exited?.(status);
    }
  }

  /** Relists as soon as possible. The pauses afterwards begin with `step`. */
  #requestRelist(step: number): void {
    this.#pauseStep = Math.min(this.#pauseStep, step);
    this.#isRelistRequested = true;
    this.#endPause();
  }

  async #run(): Promise<void> {
    try {
      // The creator of this watch subscribes before the first relist.
      await undefined;
      for (;;) {
        const startedAt = performance.now();
        this.#isRelistRequested = false;
        await backgroundStep(this.#connection, "watch.relist", {}, () => this.#update());
        await this.#pause(performance.now() - startedAt);
      }
    } catch (reason) {
      // The last subscriber was removed, or the client was closed.
      this.#closing.abort();
      for (const subscriber of [...this.#subscribers.keys()]) subscriber.failed(reason);
    }
  }

  /** Relists and reports. A relist that fails changes nothing. */
  async #update(): Promise<void> {
    const newSubscribers = [...this.#subscribers].filter(([, hasState]) => !hasState).map(([subscriber]) => subscriber);
    const { signal } = this.#closing;
    try {
      // New subscribers receive the error, so their relist is retried first.
      const options = { signal, retry: newSubscribers.length > 0 ? undefined : (false as const) };
      await this.#runtimeEvents.open(options);
      if (this.#state) await this.#relist(this.#state, newSubscribers, options);
      else this.#report([], await this.#firstState(options), newSubscribers);
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
      for (const subscriber of newSubscribers) subscriber.failed(reason);
    }
  }

  /**
   * Relists until no event arrives during a relist. Events from before the relist are dropped, because the lists contain their
   * effects: containerd 2 replays the events of the last five minutes to its first subscriber. The order of arrival decides, because
   * the clocks of client and runtime may differ, and either may be set.
   */
  async #firstState(options: CallOptions): Promise<NodeState> {
    for (let round = 1; ; round++) {
      const { eventCount } = this.#observations;
      const history = this.#observations.take();
      const listedAt = new Date();
      const state = await this.#lists.list(this.#connection, options);
      this.#observations.dropHistory(history, state);
      if (this.#observations.eventCount === eventCount || round === maxFirstLists) {
        const now = performance.now();
        this.#replay = { before: listedAt, until: now + replayMs, last: now + maxReplayMs };
        return state;
      }
      await this.#budget.sleep((round - 1) * firstPauseMs);
    }
  }

  /**
   * Returns whether the runtime sent an event again that is older than the first lists. Here the clocks decide, but only for a moment,
   * and only about objects that no list ever contains.
   */
  #isReplayed({ createdAt }: ContainerEventResponse): boolean {
    const { before, until, last } = this.#replay;
    const at = toDate(createdAt);
    const now = performance.now();
    if (at === undefined || at >= before || now >= until) return false;
    this.#replay.until = Math.min(now + replayMs, last);
    return true;
  }

  async #relist(before: NodeState, newSubscribers: readonly Subscriber[], options: CallOptions): Promise<void> {
    const observed = this.#observations.take();
    const after = await this.#lists.list(this.#connection, options);
    await observeExits(this.#connection, before, after, observed, options);
    this.#observations.complete(observed, before, after);
    this.#report(diff(before, after, observed, new Date()), after, newSubscribers);
  }

  #report(changes: readonly CriEvent[], after: NodeState, newSubscribers: readonly Subscriber[]): void {
    for (const event of changes) {
      if (event.type === "podRemoved") this.#observations.ignore(event.pod.id);
      if (event.type === "containerRemoved") this.#observations.ignore(event.container.id);
    }
    const state = changes.length > 0 || !this.#state ? after : this.#state;
    this.#state = state;
    if (changes.length > 0) this.#pauseStep = Math.min(this.#pauseStep, stepAfterEvent);
    const events = [...changes];
    if (this.#hasGap && this.#runtimeEvents.isSettled) {
      this.#hasGap = false;
      events.push(resync("gap", state));
    }
    for (const [subscriber, hasState] of [...this.#subscribers]) {
      const isNotified = hasState && events.length > 0 && this.#subscribers.has(subscriber);
      if (isNotified) subscriber.changed(events, state);
    }
    for (const subscriber of newSubscribers) {
      if (!this.#subscribers.has(subscriber)) continue;
      this.#subscribers.set(subscriber, true);
      subscriber.changed([resync("initial", state)], state);
    }
  }

  /**
   * Pauses until the next relist. Ends early if one is requested, but not before twice the duration of the last relist, or `pollMs` if
   * that is shorter, to limit the load on a busy runtime. While events keep arriving, several of them share a relist.
   */
  async #pause(relistDurationMs: number): Promise<void> {
    const { pollMs = defaultPollMs, relistMs = defaultRelistMs } = this.#connection.options.watch ?? {};
    const hasEvents = this.#runtimeEvents.source === "events" && !this.#isRuntimeDown;
    const step = this.#pauseStep++;
    const intervalMs = hasEvents ? relistMs : pollMs;
    const isLast = hasEvents && step > lastStepWithEvents;
    // After an outage, the clients of one runtime must not relist at the same time.
    const jitter = this.#isRuntimeDown ? 0.5 + Math.random() / 2 : 1;
    const pauseMs = jitter * (isLast ? intervalMs : Math.min(intervalMs, firstPauseMs * 2 ** step));
    const burstMs = this.#burst === 0 ? 0 : firstPauseMs * 2 ** Math.min(this.#burst - 1, maxBurstStep);
    const minPauseMs = Math.min(Math.max(2 * relistDurationMs, burstMs), pollMs);
    const startedAt = performance.now();
    if (!this.#isRelistRequested) {
      const pauseEnd = new AbortController();
      this.#endPause = () => pauseEnd.abort();
      await this.#budget.sleep(Math.max(pauseMs, minPauseMs), pauseEnd.signal);
    }
    this.#burst = this.#isRelistRequested ? this.#burst + 1 : 0;
    const leftMs = minPauseMs - (performance.now() - startedAt);
    if (leftMs > 0) await this.#budget.sleep(leftMs);
  }
}
