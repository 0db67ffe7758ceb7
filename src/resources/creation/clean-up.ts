import { deadlineIn } from "../../internal/time.js";
import type { CallOptions } from "../../options.js";
import type { Connection } from "../../transport/connection.js";

/** How often removing what this program made is tried while the runtime is away: for a quarter of a minute, in round figures. */
const attempts = 32;

/** For calls that go on when the client's default signal has aborted. */
export const uncancelled: AbortSignal = new AbortController().signal;

/**
 * Options of the calls that remove what this program made, in undoing or disposal. They have time of their own, all together, since
 * the caller's may be spent, but go under the caller's metadata. A restart of the runtime must not leave behind what nobody will
 * remove later, so it is waited for. A client that wants no retries gets none here either.
 */
export function cleanUpOptions(
  { options }: Connection,
  timeoutMs: number,
  { metadata }: CallOptions = {},
): CallOptions {
  const retry = options.defaults?.retry;
  const deadline = deadlineIn(timeoutMs);
  if (retry === false) return { metadata, deadline, signal: uncancelled };
  return {
    metadata,
    deadline,
    signal: uncancelled,
    retry: { maxBackoffMs: 1_000, ...retry, maxAttempts: Math.max(attempts, retry?.maxAttempts ?? 0) },
  };
}
