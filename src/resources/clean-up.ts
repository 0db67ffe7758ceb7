import type { CallOptions } from "../options.js";
import type { Connection } from "../transport/connection.js";

/** How often removing what this program made is tried while the runtime is away: for a quarter of a minute, in round figures. */
const attempts = 32;

/**
 * Options of a call that removes what this program made, in undoing or disposal. It has time of its own, since the caller's may be
 * spent; and a restart of the runtime must not leave behind what nobody will remove later, so it is waited for. A client that
 * wants no retries gets none here either.
 */
export function cleanUpOptions({ options }: Connection, timeoutMs: number): CallOptions {
  const retry = options.defaults?.retry;
  if (retry === false) return { timeoutMs };
  return {
    timeoutMs,
    retry: { maxBackoffMs: 1_000, ...retry, maxAttempts: Math.max(attempts, retry?.maxAttempts ?? 0) },
  };
}
