import { CriError } from "../../errors.js";
import { sleep } from "../../internal/timer.js";
import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";
import type { LogGap } from "../../logs/log-gap.js";
import type { LogStream } from "../../logs/log-stream.js";
import { type Container, ContainerState } from "../../proto.js";
import { log } from "../../transport/logging.js";
import type { ClientContext } from "../context.js";
import type { NodeState } from "../watching/event.js";
import { containerLogs } from "./container-logs.js";
import type { LogSelector } from "./log-query.js";
import { LogWriters } from "./log-writers.js";
import type { LogMerge } from "./merge.js";
import type { LogOwner } from "./merged-log-entry.js";
import type { MergedLogOptions } from "./merged-log-options.js";

/** Replies of the runtime that concern one container and leave the other logs alone. */
const unreadable = ["NOT_FOUND", "FAILED_PRECONDITION", "INVALID_RESPONSE"] as const;

/** How long to wait before the status of a container is asked for again, in milliseconds. */
const retryMs = 1_000;

type Entry = LogEntry | LogBytesEntry;

/** Reads merged logs once: decides which logs take part, from the first to the last. */
export class MergedLogReader {
  readonly #context: ClientContext;
  readonly #selector: LogSelector;
  readonly #options: MergedLogOptions;
  readonly #merge: LogMerge<Entry, LogOwner>;
  readonly #signal: AbortSignal;
  /** Containers whose logs have been added and that are still listed. */
  #added: ReadonlySet<string> | undefined;
  readonly #open = new Set<LogStream>();
  #skippedLines = 0;
  #missed: CriError | undefined;

  constructor(
    context: ClientContext,
    selector: LogSelector,
    options: MergedLogOptions,
    merge: LogMerge<Entry, LogOwner>,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#selector = selector;
    this.#options = options;
    this.#merge = merge;
    this.#signal = signal;
  }

  /** How many lines of all logs could not be read so far. */
  get skippedLines(): number {
    let sum = this.#skippedLines;
    for (const { skippedLines } of this.#open) sum += skippedLines;
    return sum;
  }

  async *entries(): AsyncGenerator<readonly (Entry & LogOwner)[]> {
    const { follow } = this.#options;
    const writers: LogWriters | undefined = follow
      ? new LogWriters(this.#context.watcher, {
          listed: (state) => {
            try {
              this.#addNew(state, (id) => writers?.endOf(id));
            } catch (error) {
              // An error of the caller's callback ends these logs, not the watch that others share.
              this.#merge.fail(error);
            }
          },
          failed: (reason) => this.#merge.fail(reason),
        })
      : undefined;
    try {
      if (!writers) this.#addNew(await this.#selector.list(this.#context.connection, this.#signal));
      let hasRead = false;
      while (!this.#added || this.#merge.size > 0 || follow === "forever") {
        const entries = await this.#merge.next();
        hasRead ||= entries.length > 0;
        yield entries;
      }
      if (this.#missed && !hasRead) throw this.#missed;
    } finally {
      writers?.close();
    }
  }

  /** Adds the logs of containers that are listed for the first time. */
  #addNew(state: NodeState, endOf?: (containerId: string) => AbortSignal | undefined): void {
    const found = this.#selector.select(state);
    const { after } = this.#options;
    if (!this.#added && after) this.#reportRemoved(Object.keys(after), state);
    const isFirst = !this.#added && !after;
    const fresh = isFirst ? latestAttempts(found) : found.filter(({ id }) => !this.#added?.has(id));
    this.#added = new Set(found.map(({ id }) => id));
    for (const container of fresh) {
      // A container that was not started has written nothing yet.
      if (endOf || container.state !== ContainerState.CONTAINER_CREATED) this.#add(container, endOf?.(container.id));
    }
    this.#merge.stir();
  }

  #add({ id, metadata, podSandboxId }: Container, writerEnded: AbortSignal | undefined): void {
    const { after, follow, onGap, onMissed, orderWindowMs, timeoutMs, deadline, ...reading } = this.#options;
    const options = {
      ...reading,
      rotated: reading.rotated ?? after !== undefined,
      after: after && Object.hasOwn(after, id) ? after[id] : undefined,
      follow: Boolean(follow),
      waitForStart: Boolean(follow),
      onGap: onGap && ((gap: LogGap) => onGap(gap, id)),
      signal: this.#signal,
    };
    const { name = "", attempt = 0 } = metadata ?? {};
    const owner = { container: name, containerId: id, attempt, podSandboxId };
    const openLog = (onWait: () => void) => {
      const follower = writerEnded && { writerEnded, onWait };
      const open = () => this.#read(containerLogs(this.#context, id, options, follower) as LogStream);
      return follower ? this.#untilAnswered(open, onWait) : open();
    };
    this.#merge.add(openLog, owner, (error) => this.#miss(error, id));
  }

  /** Opens a log, again and again while the runtime is away: that has not stopped its containers. */
  async *#untilAnswered(open: () => AsyncGenerator<readonly Entry[]>, onWait: () => void) {
    for (;;) {
      try {
        return yield* open();
      } catch (error) {
        if (this.#signal.aborted || !isAway(error)) throw error;
        onWait();
        await sleep(retryMs, this.#signal);
      }
    }
  }

  async *#read(stream: LogStream): AsyncGenerator<readonly Entry[]> {
    this.#open.add(stream);
    try {
      yield* stream.batches();
    } finally {
      this.#open.delete(stream);
      this.#skippedLines += stream.skippedLines;
    }
  }

  #miss(error: unknown, containerId: string): void {
    if (this.#signal.aborted || !CriError.is(error)) throw error;
    // An error without a method is one of the log's file.
    if (error.method !== undefined) {
      if (!CriError.is(error, ...unreadable)) throw error;
      // A container that was removed before its log was opened is not missed.
      if (error.code === "NOT_FOUND") return;
    }
    this.#missed ??= error;
    this.#report(error, containerId);
  }

  #reportRemoved(containerIds: readonly string[], { containers }: NodeState): void {
    for (const id of containerIds.filter((one) => !containers.has(one))) {
      const message = `container ${id} does not match the query or was removed, so its log cannot be read on from its position`;
      this.#report(new CriError({ code: "NOT_FOUND", message }), id);
    }
  }

  #report(error: CriError, containerId: string): void {
    const { onMissed } = this.#options;
    const { logger } = this.#context.connection.options;
    if (onMissed) onMissed(error, containerId);
    else log(logger, "warn", "a log cannot be read", { containerId, error: String(error) });
  }
}

/** Whether the runtime did not answer. Only ContainerStatus is asked, before the first line is read. */
function isAway(error: unknown): boolean {
  return CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED") && error.method !== undefined;
}

function latestAttempts(containers: readonly Container[]): Container[] {
  const latest = new Map<string, Container>();
  for (const container of containers) {
    const key = `${container.podSandboxId}/${container.metadata?.name}`;
    const other = latest.get(key)?.metadata?.attempt ?? -1;
    if ((container.metadata?.attempt ?? 0) > other) latest.set(key, container);
  }
  return [...latest.values()];
}
