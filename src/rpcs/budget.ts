import { CriError } from "../errors.js";
import { checkCallOptions, checkOnlyCallOptions } from "../input/call-options.js";
import { linkAbort } from "../internal/abort.js";
import type { TimeLimit } from "../internal/stream.js";
import { deadlineIn } from "../internal/time.js";
import { sleep, startTimer } from "../internal/timer.js";
import { type CallOptions, defaultTimeoutMs, type StreamLimits } from "../options.js";
import { type Connection, clientClosed } from "../transport/connection.js";

/** The time limit of a workflow of several calls. */
export interface Budget {
  /** The options that the caller gave. */
  readonly caller: CallOptions;
  /** Returns the remaining time in milliseconds; undefined without a limit. */
  leftMs(): number | undefined;
  /**
   * Returns the caller's options with the remaining time as `timeoutMs`, if there is a limit.
   *
   * @throws CriError `DEADLINE_EXCEEDED` if no time is left; no call is sent then
   */
  options(): CallOptions;
  /**
   * Waits, at most for the remaining time. Rejects when the caller's signal aborts or the client closes.
   *
   * @param wake resolves the wait early when it aborts
   */
  sleep(ms: number, wake?: AbortSignal): Promise<void>;
}

/**
 * Starts the time limit of a workflow: the caller's `timeoutMs` or `deadline`, otherwise a multiple of the default base.
 *
 * @param multiple `undefined` for no default limit
 */
export function startBudget(connection: Connection, given: CallOptions = {}, multiple: number | undefined): Budget {
  checkOnlyCallOptions(given);
  const options = given.signal || !connection.signal ? given : { ...given, signal: connection.signal };
  const limits: number[] = [];
  if (options.timeoutMs) limits.push(options.timeoutMs);
  if (options.deadline) limits.push(options.deadline.getTime() - Date.now());
  if (limits.length === 0 && options.timeoutMs !== 0 && multiple !== undefined) {
    const base = connection.options.defaults?.timeoutMs ?? defaultTimeoutMs;
    if (base > 0) limits.push(base * multiple);
  }
  const totalMs = limits.length > 0 ? Math.min(...limits) : undefined;
  const startedAt = performance.now();
  const leftMs = () => (totalMs === undefined ? undefined : totalMs - (performance.now() - startedAt));
  return {
    caller: options,
    leftMs,
    options: () => {
      const left = leftMs();
      if (left !== undefined && left <= 0) {
        options.signal?.throwIfAborted();
        const isOver = totalMs !== undefined && totalMs <= 0;
        throw new CriError({
          code: "DEADLINE_EXCEEDED",
          message: isOver
            ? "the deadline had already passed"
            : `the operation did not end within ${Math.round(totalMs ?? 0)} ms`,
          endpoint: connection.endpoint,
        });
      }
      return { ...options, timeoutMs: left ?? options.timeoutMs, deadline: undefined };
    },
    sleep: async (ms, wake) => {
      const link = linkAbort(options.signal, ...connection.closing, wake);
      try {
        await sleep(Math.min(ms, Math.max(0, leftMs() ?? ms)), link.signal);
      } catch (error) {
        if (wake?.aborted && link.signal.reason === wake.reason) return;
        if (connection.closing.some(({ reason }) => reason === error)) throw clientClosed(connection.endpoint);
        throw error;
      } finally {
        link.unlink();
      }
    },
  };
}

/**
 * Converts `timeoutMs` to a deadline, for a workflow of several steps: the caller's limit then applies to all steps together.
 * Without one, each step has its own default limit.
 */
export function pinDeadline<T extends CallOptions>(options: T): T {
  checkCallOptions(options);
  const { timeoutMs, deadline } = options;
  if (!timeoutMs) return options;
  const isEarlier = deadline !== undefined && deadline.getTime() - Date.now() <= timeoutMs;
  return { ...options, timeoutMs: undefined, deadline: isEarlier ? deadline : deadlineIn(timeoutMs) };
}

/** Returns the time limit of a stream, or `undefined` if it has none. @throws InvalidInputError */
export function streamLimit(connection: Connection, limits: StreamLimits): TimeLimit | undefined {
  checkCallOptions(limits);
  const { timeoutMs, deadline } = limits;
  if (!timeoutMs && !deadline) return undefined;
  return (expire) => {
    const budget = startBudget(connection, { timeoutMs, deadline }, undefined);
    const onTimeout = () => {
      const message = "the stream did not end within its time limit";
      expire(new CriError({ code: "DEADLINE_EXCEEDED", message, endpoint: connection.endpoint }));
    };
    return startTimer(budget.leftMs() ?? 0, onTimeout);
  };
}

/** Picks the call options from the options of a workflow. */
export function callOptionsOf({ signal, timeoutMs, deadline, retry, metadata }: CallOptions): CallOptions {
  return { signal, timeoutMs, deadline, retry, metadata };
}
