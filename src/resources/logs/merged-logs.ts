import { listContainers } from "../../calls/containers.js";
import { listPodSandboxes } from "../../calls/pods.js";
import { CriError, InvalidInputError } from "../../errors.js";
import { linkAbort } from "../../internal/abort.js";
import { sleep } from "../../internal/timer.js";
import type { LogEntry } from "../../logs/entry.js";
import { LogStream } from "../../logs/log-stream.js";
import { checkReadOptions } from "../../logs/read-options.js";
import { type Container, ContainerState } from "../../proto.js";
import { textMap } from "../../specs/check.js";
import type { Connection } from "../../transport/connection.js";
import { log } from "../../transport/logging.js";
import { idOf, type PodTarget } from "../target.js";
import { type ContainerLogOptions, containerLogs } from "./container-logs.js";

/** Whose logs to read; everything given must match. */
export interface LogQuery {
  /** One pod. */
  pod?: PodTarget | undefined;
  /** Pods with exactly these labels. */
  podLabels?: Readonly<Record<string, string>> | undefined;
  /** Containers with this name. */
  container?: string | undefined;
  /** Containers with exactly these labels. */
  labels?: Readonly<Record<string, string>> | undefined;
}

/** Which part of several logs to read, and how. `tailLines` and `limitBytes` count for each log. */
export interface MergedLogOptions extends Omit<ContainerLogOptions, "encoding" | "previous" | "waitForStart"> {
  /**
   * With `follow`: how long an entry is held back, in milliseconds, so that entries of other logs can come before it. Entries that
   * are later than that are out of order. @defaultValue 250
   */
  orderWindowMs?: number | undefined;
  /**
   * Hears of a log that cannot be read, or no further: it has no file, or one that is no log. The others go on; only if none
   * can be read the stream fails. @defaultValue a warning to the client's logger
   */
  onMissed?: ((error: CriError, containerId: string) => void) | undefined;
}

/** Whose line it is. */
export interface LogOwner {
  /** The container's name. */
  container: string;
  containerId: string;
  /** How many times the container had been started before. */
  attempt: number;
  podSandboxId: string;
}

/** A line of one of several logs. */
export interface MergedLogEntry extends LogEntry, LogOwner {}

/** With `follow`: how often to look for new containers, in milliseconds. */
const lookMs = 1_000;

const { CONTAINER_CREATED, CONTAINER_RUNNING } = ContainerState;

/**
 * The logs of several containers in the order of their timestamps. Of containers with the same name in a pod the latest attempt is
 * read; with `follow` also those that come later, until every log has ended.
 */
export function mergedLogs(
  connection: Connection,
  query: LogQuery = {},
  options: MergedLogOptions = {},
): LogStream<MergedLogEntry> {
  const { orderWindowMs = 250, onMissed, signal, ...reading } = options;
  const { follow } = checkReadOptions(reading);
  if (!(orderWindowMs >= 0 && Number.isFinite(orderWindowMs))) {
    const message = "must be a number of milliseconds, 0 or more";
    throw new InvalidInputError({ field: "orderWindowMs", message, value: orderWindowMs });
  }
  const find = finder(connection, query);
  const logs: LogStream[] = [];

  async function* open(closing: AbortSignal) {
    const { LogMerge } = await import("./merge.js");
    const link = linkAbort(closing);
    const until = link.signal;
    const merge = new LogMerge<LogOwner>(orderWindowMs, until);
    let missed: CriError | undefined;
    let hasRead = false;
    let containers = new Map<string, Container>();
    const add = ({ id, metadata, podSandboxId, state }: Container) => {
      // Nothing was written yet, and nobody waits for it.
      if (state === CONTAINER_CREATED && !follow) return;
      const isRunning = () => canWrite(containers.get(id));
      const container = {
        container: metadata?.name ?? "",
        containerId: id,
        attempt: metadata?.attempt ?? 0,
        podSandboxId,
      };
      const openLog = (onWait: () => void) => {
        const known = { isRunning, onWait };
        const stream = containerLogs(connection, id, { ...reading, waitForStart: follow, signal: until }, known);
        logs.push(stream as LogStream);
        return (stream as LogStream).batches();
      };
      merge.add(openLog, container, (error) => {
        if (until.aborted || !CriError.is(error, ...unreadable)) throw error;
        // A container that was removed before it was looked at is not missed.
        if (error.code === "NOT_FOUND" && error.method !== undefined) return;
        missed ??= error;
        if (onMissed) onMissed(error, id);
        else log(connection.options.logger, "warn", "a log cannot be read", { containerId: id, error: String(error) });
      });
    };
    /** New containers, and the state of all. False when there is nothing left to follow. */
    const look = async () => {
      const found = await find(until);
      const fresh = found.filter(({ id }) => !containers.has(id));
      const first = containers.size === 0;
      containers = new Map(found.map((container) => [container.id, container]));
      for (const container of first ? latestAttempts(fresh) : fresh) add(container);
      return merge.size > 0;
    };
    let isLooking = await look();
    const looking = follow && isLooking ? lookOn() : Promise.resolve();
    async function lookOn() {
      try {
        while (isLooking) {
          await sleep(lookMs, until);
          // A runtime that is away for a moment has the containers that it had.
          isLooking = await look().catch(unlessAway);
        }
      } catch (error) {
        merge.fail(error);
      }
      merge.stir();
    }
    try {
      while (merge.size > 0 || (follow && isLooking)) {
        const entries = await merge.next();
        hasRead ||= entries.length > 0;
        yield entries;
      }
      if (missed && !hasRead) throw missed;
    } finally {
      link.unlink();
      link.abort(new DOMException("The stream has ended.", "AbortError"));
      await Promise.all([merge.closed(), looking]);
    }
  }
  return new LogStream<MergedLogEntry>(
    open,
    () => logs.reduce((sum, { skippedLines }) => sum + skippedLines, 0),
    signal,
  );
}

/** What a log may be that cannot be read. */
const unreadable = ["NOT_FOUND", "FAILED_PRECONDITION", "PERMISSION_DENIED", "INVALID_RESPONSE", "DATA_LOSS"] as const;

/** How to list the containers of a query. */
function finder(connection: Connection, { pod, podLabels, container, labels }: LogQuery) {
  const podSandboxId = pod === undefined ? "" : idOf(pod, "pod");
  const filter = { id: "", podSandboxId, state: undefined, labelSelector: textMap(labels, "query.labels") };
  const selector = { id: podSandboxId, state: undefined, labelSelector: textMap(podLabels, "query.podLabels") };
  return async (signal: AbortSignal): Promise<Container[]> => {
    const containers = await listContainers(connection, filter, { signal });
    const named = containers.filter(({ metadata }) => container === undefined || metadata?.name === container);
    if (podLabels === undefined || named.length === 0) return named;
    const pods = new Set((await listPodSandboxes(connection, selector, { signal })).map(({ id }) => id));
    return named.filter((it) => pods.has(it.podSandboxId));
  };
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

function canWrite(container: Container | undefined): boolean {
  return container?.state === CONTAINER_RUNNING || container?.state === CONTAINER_CREATED;
}

function unlessAway(error: unknown): true {
  if (CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED")) return true;
  throw error;
}
