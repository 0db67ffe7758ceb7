import { type CriError, InvalidInputError } from "../../errors.js";
import { linkAbort } from "../../internal/abort.js";
import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";
import type { LogGap } from "../../logs/log-gap.js";
import { LogStream } from "../../logs/log-stream.js";
import { checkReadOptions } from "../../logs/read-options.js";
import { streamLimit } from "../../rpcs/budget.js";
import type { ClientContext } from "../context.js";
import { type ContainerLogOptions, checkLocalPath } from "./container-logs.js";
import { type LogQuery, LogSelector } from "./log-query.js";
import { MergedLogReader } from "./merged-log-reader.js";

/** Which part of several logs to read, and how. `tailLines` and `limitBytes` count for each log. */
export interface MergedLogOptions
  extends Omit<ContainerLogOptions, "after" | "follow" | "onGap" | "previous" | "waitForStart"> {
  /**
   * Go on when the end is reached. New pods, containers and attempts that match the query are joined.
   *
   * - `true`: until every log has ended and no container that matches can write. Ends at once if there is none.
   * - `"forever"`: until the stream is closed or its signal aborts, also while nothing matches, between two attempts of a
   *   container, and while the runtime is away. Not together with `until`.
   *
   * @defaultValue false
   */
  follow?: boolean | "forever" | undefined;
  /**
   * Start each log exactly behind a position: the `position` of the last entry that was handled, by container id. Logs without one
   * are read as a whole, all attempts and, unless `rotated` is false, their rotated files, so that nothing is lost or repeated. Begin with
   * `{}`. A container that was removed is reported to `onMissed`: its position is of no use any more. Not together with `tailLines`.
   */
  after?: Readonly<Record<string, string>> | undefined;
  /** Called for everything that is left out of a log: malformed lines, holes, unreadable files. See {@link LogGap}. */
  onGap?: ((gap: LogGap, containerId: string) => void) | undefined;
  /**
   * With `follow`: how long a new entry is held back, in milliseconds, so that entries of other logs can come before it. Entries
   * that are read later than that are out of order. @defaultValue 250
   */
  orderWindowMs?: number | undefined;
  /**
   * Called for a log that cannot be read, or no further: it has no file, its file is not a log, or it is a named pipe or device. The others go on; the stream
   * fails only if none can be read. @defaultValue a warning to the client's logger
   */
  onMissed?: ((error: CriError, containerId: string) => void) | undefined;
}

/** Which part of a pod's logs to read, and how. */
export interface PodLogOptions extends MergedLogOptions {
  /** Only containers with this name. @defaultValue all containers of the pod */
  container?: string | undefined;
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

/** A line of one of several logs, as text. */
export interface MergedLogEntry extends LogEntry, LogOwner {}

/** A line of one of several logs, as bytes. */
export interface MergedLogBytesEntry extends LogBytesEntry, LogOwner {}

/**
 * Reads the logs of several containers in the order of their timestamps. Of containers with the same name in a pod it reads the
 * latest attempt; with `follow` also the attempts that come later.
 *
 * @throws InvalidInputError
 */
export function mergedLogs(
  context: ClientContext,
  query: LogQuery = {},
  options: MergedLogOptions = {},
): LogStream<MergedLogEntry | MergedLogBytesEntry> {
  const selector = new LogSelector(query);
  checkOptions(options);
  let reader: MergedLogReader | undefined;
  async function* open(closing: AbortSignal) {
    const link = linkAbort(closing);
    const { LogMerge } = await import("./merge.js");
    const merge = new LogMerge<LogEntry | LogBytesEntry, LogOwner>(options.orderWindowMs ?? 250, link.signal);
    reader = new MergedLogReader(context, selector, options, merge, link.signal);
    try {
      yield* reader.entries();
    } finally {
      link.unlink();
      link.abort(new DOMException("The stream has ended.", "AbortError"));
      await merge.closed();
    }
  }
  const limit = streamLimit(context.connection, options);
  return new LogStream(open, () => reader?.skippedLines ?? 0, options.signal ?? context.connection.signal, limit);
}

function checkOptions({ after, follow = false, onGap, orderWindowMs = 0, ...reading }: MergedLogOptions): void {
  const settings = { ...reading, follow: Boolean(follow) };
  checkReadOptions(settings);
  checkLocalPath(reading.localPath);
  if (after !== undefined) {
    if (typeof after !== "object" || after === null) {
      const message = "must be an object with the position of each log by container id";
      throw new InvalidInputError({ field: "after", message, value: after });
    }
    if (reading.tailLines !== undefined) {
      const message = "cannot be combined with after; leave one of them out";
      throw new InvalidInputError({ field: "tailLines", message, value: reading.tailLines });
    }
    for (const position of Object.values(after)) checkReadOptions({ ...settings, after: position });
  }
  if (typeof follow !== "boolean" && follow !== "forever") {
    throw new InvalidInputError({ field: "follow", message: 'must be true, false or "forever"', value: follow });
  }
  if (follow === "forever" && reading.until !== undefined) {
    const message = 'cannot be combined with follow: "forever"; use follow: true';
    throw new InvalidInputError({ field: "until", message, value: reading.until });
  }
  if (!(orderWindowMs >= 0 && Number.isFinite(orderWindowMs))) {
    const message = "must be a number of milliseconds, 0 or more";
    throw new InvalidInputError({ field: "orderWindowMs", message, value: orderWindowMs });
  }
}
