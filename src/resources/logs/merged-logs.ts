import { InvalidInputError } from "../../errors.js";
import { checkOptions } from "../../input/call-options.js";
import { linkAbort, NoLongerNeeded } from "../../internal/abort.js";
import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";
import { LogStream } from "../../logs/log-stream.js";
import { checkReadOptions } from "../../logs/read-settings.js";
import { streamLimit } from "../../rpcs/budget.js";
import type { ClientContext } from "../context.js";
import { checkLocalPath } from "./container-logs.js";
import { type LogQuery, LogSelector } from "./log-query.js";
import type { LogOwner, MergedLogBytesEntry, MergedLogEntry } from "./merged-log-entry.js";
import { type MergedLogOptions, mergedLogFields } from "./merged-log-options.js";
import { MergedLogReader } from "./merged-log-reader.js";

/**
 * Reads the logs of several containers in the order of their timestamps. If a pod has several containers of one name, reads the
 * latest attempt, and with `follow` also later attempts.
 *
 * @param writersEnd with `follow: true`, the stream does not end before this signal aborts: containers may still be restarted
 * @throws InvalidInputError
 */
export function mergedLogs(
  context: ClientContext,
  query: LogQuery | readonly LogQuery[] = {},
  options: MergedLogOptions = {},
  writersEnd: AbortSignal | undefined = undefined,
): LogStream<MergedLogEntry | MergedLogBytesEntry> {
  const selector = new LogSelector(query);
  checkOptions(options, mergedLogFields);
  checkValues(options);
  let reader: MergedLogReader | undefined;
  async function* open(closing: AbortSignal) {
    const link = linkAbort(closing);
    const { LogMerge } = await import("./log-merge.js");
    const merge = new LogMerge<LogEntry | LogBytesEntry, LogOwner>(options.orderWindowMs ?? 250, link.signal);
    reader = new MergedLogReader(context, selector, options, merge, link.signal, writersEnd);
    try {
      yield* reader.entries();
    } finally {
      link.unlink();
      link.abort(new NoLongerNeeded("The stream has ended."));
      await merge.closed();
    }
  }
  const limit = streamLimit(context.connection, options);
  return new LogStream(open, () => reader?.skippedLines ?? 0, options.signal ?? context.connection.signal, limit);
}

function checkValues({ after, follow = false, onGap, orderWindowMs = 0, ...reading }: MergedLogOptions): void {
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
