import { CriError } from "../../errors.js";
import { type CallOptions, defaultPollMs, defaultRelistMs, type WatchSource } from "../../options.js";
import { type ContainerEventResponse, ContainerState } from "../../proto.js";
import { type Budget, startBudget } from "../../rpcs/budget.js";
import type { Connection } from "../../transport/connection.js";
import { log } from "../../transport/logging.js";
import { diff } from "./diff.js";
import { type CriEvent, type NodeState, resync } from "./event.js";
import { EventFeed } from "./event-feed.js";
import { exitsBetween, relist } from "./relist.js";
import { SightingLog } from "./sightings.js";
import type { WatchMember } from "./watch-member.js";

/** The pause after the first look; every further one is twice as long, up to the interval. */
const firstPauseMs = 25;

/**
 * Where in that series to go on after something happened: pauses of 200, 400, 800 ms. More is likely to come, but not at once.
 */
const afterNews = 3;

/** How often a new watch lists at most before it takes what events show for changes. */
const mostFirstLooks = 5;

/**
 * Looks at a node again and again, and tells its members what is different. The lists are the only judge; the runtime's events
 * make it look at once, and keep what came and went between two looks. One look at a time: whatever asks for one meanwhile is
 * served by the next.
 */
export class Watch {
  readonly #connection: Connection;
  /** Who takes part, and whether the first state was told. */
  readonly #members = new Map<WatchMember, boolean>();
  readonly #ending = new AbortController();
  readonly #budget: Budget;
  readonly #feed: EventFeed;
  readonly #sightings = new SightingLog();
  #state: NodeState | undefined;
  /** Something may have been missed, and that was not told yet. */
  #gap = false;
  #away = false;
  #round = 0;
  #stirred = false;
  #wake = () => {};

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#budget = startBudget(connection, { signal: this.#ending.signal, timeoutMs: 0 }, undefined);
    this.#feed = new EventFeed(connection, {
      heard: (event) => {
        if (!this.#sightings.note(event)) this.#gap = true;
        this.#forwardExits(event);
        this.#stir(afterNews);
      },
      broken: () => {
        this.#gap = true;
        this.#stir(afterNews);
      },
    });
    void this.#run();
  }

  get source(): WatchSource | undefined {
    return this.#feed.source;
  }

  join(member: WatchMember): void {
    this.#members.set(member, false);
    this.#stir(0);
  }

  /** The last one to leave ends the watch. */
  leave(member: WatchMember): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#ending.abort();
  }

  /** Whether it is of no use any more. */
  get over(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Exits do not wait for the next list, which takes long on a busy node. */
  #forwardExits({ containersStatuses }: ContainerEventResponse): void {
    for (const status of containersStatuses) {
      if (status.state !== ContainerState.CONTAINER_EXITED) continue;
      for (const member of [...this.#members.keys()]) member.exited?.(status);
    }
  }

  /** Looks as soon as may be, and after that in the pauses from this round on. */
  #stir(round: number): void {
    this.#round = Math.min(this.#round, round);
    this.#stirred = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    try {
      // Whoever made this joins before the first look.
      await undefined;
      for (;;) {
        const startedAt = performance.now();
        this.#stirred = false;
        await this.#look();
        await this.#rest(performance.now() - startedAt);
      }
    } catch (reason) {
      // The last member left, or the client was closed.
      this.#ending.abort();
      for (const member of [...this.#members.keys()]) member.failed(reason);
    }
  }

  /** A look succeeds in whole or not at all. */
  async #look(): Promise<void> {
    const newcomers = [...this.#members].filter(([, told]) => !told).map(([member]) => member);
    const { signal } = this.#ending;
    try {
      // Newcomers are told of a failure, so for them it is worth to try again.
      const options = { signal, retry: newcomers.length > 0 ? undefined : (false as const) };
      await this.#feed.open(options);
      if (this.#state) await this.#lookAgain(this.#state, newcomers, options);
      else this.#publish([], await this.#firstState(options), newcomers);
      this.#away = false;
    } catch (reason) {
      if (signal.aborted || CriError.is(reason, "CLIENT_CLOSED")) throw reason;
      if (!this.#away) {
        const { endpoint, options } = this.#connection;
        const fields = { endpoint, error: String(reason) };
        log(options.logger, "warn", "pods and containers could not be listed; the watch goes on trying", fields);
      }
      this.#away = this.#gap = true;
      this.#feed.reconsider();
      for (const member of newcomers) member.failed(reason);
    }
  }

  /**
   * Lists until no event arrives in the meantime. An event that arrived before the lists were requested is history, as the lists
   * show all that it can report: containerd 2 replays the events of five minutes to its first subscriber. The order of arrival
   * decides, because the clocks of client and runtime may differ, and either may step.
   */
  async #firstState(options: CallOptions): Promise<NodeState> {
    for (let round = 1; ; round++) {
      const heard = this.#sightings.heard;
      const history = this.#sightings.take();
      const state = await relist(this.#connection, options);
      this.#sightings.dropHistory(history, state);
      if (this.#sightings.heard === heard || round === mostFirstLooks) return state;
      await this.#budget.sleep((round - 1) * firstPauseMs);
    }
  }

  async #lookAgain(before: NodeState, newcomers: readonly WatchMember[], options: CallOptions): Promise<void> {
    const seen = this.#sightings.take();
    const after = await relist(this.#connection, options);
    await exitsBetween(this.#connection, before, after, seen, options);
    this.#sightings.complete(seen, before, after);
    this.#publish(diff(before, after, seen, new Date()), after, newcomers);
  }

  #publish(changes: readonly CriEvent[], after: NodeState, newcomers: readonly WatchMember[]): void {
    for (const event of changes) {
      if (event.type === "podRemoved") this.#sightings.forget(event.pod.id);
      if (event.type === "containerRemoved") this.#sightings.forget(event.container.id);
    }
    const state = changes.length > 0 || !this.#state ? after : this.#state;
    this.#state = state;
    if (changes.length > 0) this.#round = Math.min(this.#round, afterNews);
    const events = [...changes];
    if (this.#gap && this.#feed.settled) {
      this.#gap = false;
      events.push(resync("gap", state));
    }
    for (const [member, told] of [...this.#members]) {
      if (told && events.length > 0) member.changed(events, state);
    }
    for (const member of newcomers) {
      if (!this.#members.has(member)) continue;
      this.#members.set(member, true);
      member.changed([resync("initial", state)], state);
    }
  }

  /** Pauses: at least twice as long as the look took, so that looking never is most of what the runtime does. */
  async #rest(lookMs: number): Promise<void> {
    const { pollMs = defaultPollMs, relistMs = defaultRelistMs } = this.#connection.options.watch ?? {};
    const intervalMs = this.#feed.source === "events" && !this.#away ? relistMs : pollMs;
    const pauseMs = Math.min(intervalMs, firstPauseMs * 2 ** this.#round++);
    const leastMs = Math.min(2 * lookMs, pollMs);
    await this.#budget.sleep(leastMs);
    if (this.#stirred) return;
    const nap = new AbortController();
    this.#wake = () => nap.abort();
    // Clients of one runtime that was away do not come back in step.
    const jitter = this.#away ? 0.5 + Math.random() / 2 : 1;
    await this.#budget.sleep(Math.max(0, pauseMs * jitter - leastMs), nap.signal);
  }
}
