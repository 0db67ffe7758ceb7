import { CriError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { sleep } from "../../internal/timer.js";
import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";
import type { LogGap } from "../../logs/log-gap.js";
import type { LogStream } from "../../logs/log-stream.js";
import { type Container, ContainerState } from "../../proto.js";
import { log } from "../../transport/logging.js";
import type { ClientContext } from "../context.js";
import type { NodeState } from "../watching/event.js";
import { containerLogs } from "./container-logs.js";
import type { LogMerge } from "./log-merge.js";
import type { LogSelector } from "./log-query.js";
import { LogWriters } from "./log-writers.js";
import type { LogOwner } from "./merged-log-entry.js";
import type { MergedLogOptions } from "./merged-log-options.js";

/** Error codes of the runtime that concern one container only, so that the other logs continue. */
const concernsOneLog = ["NOT_FOUND", "FAILED_PRECONDITION", "INVALID_RESPONSE"] as const;

/** The pause before ContainerStatus is called again while the runtime is down, in milliseconds. */
const retryMs = 1_000;

type Entry = LogEntry | LogBytesEntry;

/** Reads merged logs once: selects the logs, opens them, and adds new ones while following. */
export class MergedLogReader {
  readonly #context: ClientContext;
  readonly #selector: LogSelector;
  readonly #options: MergedLogOptions;
  readonly #merge: LogMerge<Entry, LogOwner>;
  readonly #signal: AbortSignal;
  readonly #writersEnd: AbortSignal | undefined;
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
    writersEnd: AbortSignal | undefined,
  ) {
    this.#context = context;
    this.#selector = selector;
    this.#options = options;
    this.#merge = merge;
    this.#signal = signal;
    this.#writersEnd = writersEnd;
  }

  /** The number of lines of all logs that were skipped so far because they could not be read. */
  get skippedLines(): number {
    let sum = this.#skippedLines;
    for (const { skippedLines } of this.#open) sum += skippedLines;
    return sum;
  }

  async *entries(): AsyncGenerator<readonly (Entry & LogOwner)[]> {
    const { follow } = this.#options;
    const writers: LogWriters | undefined = follow
      ? new LogWriters(this.#context.watcher, {
          changed: (state) => {
            try {
              this.#addNew(state, (id) => writers?.endOf(id));
            } catch (error) {
              // An error thrown by the caller's callback ends this stream, but not the watch that other streams share.
              this.#merge.fail(error);
            }
          },
          failed: (reason) => this.#merge.fail(reason),
        })
      : undefined;
    const writersEnd = follow ? this.#writersEnd : undefined;
    const unlisten = writersEnd && onAbort(writersEnd, () => this.#merge.notify());
    try {
      if (!writers) this.#addNew(await this.#selector.list(this.#context.connection, this.#signal));
      let hasRead = false;
      let isComplete = writersEnd === undefined;
      while (!this.#added || this.#merge.size > 0 || follow === "forever" || !isComplete) {
        if (writersEnd?.aborted && !isComplete) {
          // The watch may not have reported the last containers yet.
          this.#addNew(await this.#selector.list(this.#context.connection, this.#signal), () => writersEnd);
          isComplete = true;
          continue;
        }
        const entries = await this.#merge.next();
        hasRead ||= entries.length > 0;
        yield entries;
      }
      if (this.#missed && !hasRead) throw this.#missed;
    } finally {
      unlisten?.();
      writers?.close();
    }
  }

  /** Adds the logs of containers that are listed for the first time. */
  #addNew(state: NodeState, endOf?: (containerId: string) => AbortSignal | undefined): void {
    const found = this.#selector.select(state);
    const { after } = this.#options;
    if (!this.#added && after) this.#reportRemoved(Object.keys(after), state);
    const isFirst = !this.#added && !after;
    const added = isFirst ? latestAttempts(found) : found.filter(({ id }) => !this.#added?.has(id));
    this.#added = new Set(found.map(({ id }) => id));
    for (const container of added) {
      // A container that was not started has no log yet.
      if (endOf || container.state !== ContainerState.CONTAINER_CREATED) this.#add(container, endOf?.(container.id));
    }
    this.#merge.notify();
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
      return follower ? this.#withRetries(open, onWait) : open();
    };
    this.#merge.add(openLog, owner, (error) => this.#handleError(error, id));
  }

  /** Opens a log, with retries while the runtime is down: its containers still run. */
  async *#withRetries(open: () => AsyncGenerator<readonly Entry[]>, onWait: () => void) {
    for (;;) {
      try {
        return yield* open();
      } catch (error) {
        if (this.#signal.aborted || !isOutage(error)) throw error;
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

  /** Reports the error of one log, or throws an error that ends all of them. */
  #handleError(error: unknown, containerId: string): void {
    if (this.#signal.aborted || !CriError.is(error)) throw error;
    // An error without a method concerns the log's file.
    if (error.method !== undefined) {
      if (!CriError.is(error, ...concernsOneLog)) throw error;
      // The container was removed before its log was opened.
      if (error.code === "NOT_FOUND") return;
    }
    this.#missed ??= error;
    this.#report(error, containerId);
  }

  #reportRemoved(containerIds: readonly string[], { containers }: NodeState): void {
    for (const id of containerIds.filter((one) => !containers.has(one))) {
      const message = `container ${id} does not match the query or was removed, so its log cannot be resumed at its position`;
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

/** Returns whether ContainerStatus, which is called before the first line is read, failed because the runtime is down. */
function isOutage(error: unknown): boolean {
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
