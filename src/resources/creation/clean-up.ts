import { deadlineIn } from "../../internal/time.js";
import type { CallOptions } from "../../options.js";
import type { Connection } from "../../transport/connection.js";

/** Clean-up attempts while the runtime is down (about 15 s in total). */
const maxAttempts = 32;

/** A signal that never aborts, for calls that continue after the client's default signal has aborted. */
export const neverAborts: AbortSignal = new AbortController().signal;

/**
 * Returns the options for the calls of a rollback or disposal. They share one deadline of their own, because the caller's time
 * limit may be over, and keep the caller's metadata. The client retries them while the runtime restarts, because nothing would
 * remove the object later. A client whose default is `retry: false` does not retry here either.
 */
export function cleanUpOptions(
  { options }: Connection,
  timeoutMs: number,
  { metadata }: CallOptions = {},
): CallOptions {
  const retry = options.defaults?.retry;
  const deadline = deadlineIn(timeoutMs);
  if (retry === false) return { metadata, deadline, signal: neverAborts };
  return {
    metadata,
    deadline,
    signal: neverAborts,
    retry: { maxBackoffMs: 1_000, ...retry, maxAttempts: Math.max(maxAttempts, retry?.maxAttempts ?? 0) },
  };
}
