import { CriError } from "../errors.js";
import { linkAbort } from "../internal/abort.js";
import type { TimeLimit } from "../internal/stream.js";
import { deadlineIn } from "../internal/time.js";
import { sleep, startTimer } from "../internal/timer.js";
import { type CallOptions, defaultTimeoutMs, type StreamLimits } from "../options.js";
import { checkCallOptions } from "../transport/call-options.js";
import { type Connection, clientClosed } from "../transport/connection.js";

/** The time a workflow of several calls has in all. */
export interface Budget {
  /** The options that the caller gave. */
  readonly caller: CallOptions;
  /** What is left in milliseconds; undefined when there is no limit. */
  leftMs(): number | undefined;
  /** The caller's options with what is left of the budget, if there is one. Throws DEADLINE_EXCEEDED when nothing is, without any I/O. */
  options(): CallOptions;
  /**
   * Pauses, for no longer than what is left. Rejects when the caller's signal aborts or the client is closed; resolves early
   * when `wake` aborts.
   */
  sleep(ms: number, wake?: AbortSignal): Promise<void>;
}

/**
 * Starts the clock of a workflow: on the caller's `timeoutMs` or `deadline`, else on a multiple of the base that all default
 * budgets are reckoned from. `undefined` as the multiple means no default limit.
 */
export function startBudget(connection: Connection, given: CallOptions = {}, multiple: number | undefined): Budget {
  checkCallOptions(given);
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
        const late = totalMs !== undefined && totalMs <= 0;
        throw new CriError({
          code: "DEADLINE_EXCEEDED",
          message: late
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
 * Turns `timeoutMs` into a deadline, for a workflow of several steps: what the caller gave bounds them all together, and a
 * step that is not bounded by it keeps its own default.
 */
export function pinDeadline<T extends CallOptions>(options: T): T {
  checkCallOptions(options);
  const { timeoutMs, deadline } = options;
  if (!timeoutMs) return options;
  const isEarlier = deadline !== undefined && deadline.getTime() - Date.now() <= timeoutMs;
  return { ...options, timeoutMs: undefined, deadline: isEarlier ? deadline : deadlineIn(timeoutMs) };
}

/** The time limit of a stream, if it has one. @throws InvalidInputError */
export function streamLimit(connection: Connection, limits: StreamLimits): TimeLimit | undefined {
  checkCallOptions(limits);
  const { timeoutMs, deadline } = limits;
  if (!timeoutMs && !deadline) return undefined;
  return (expire) => {
    const budget = startBudget(connection, { timeoutMs, deadline }, undefined);
    const late = () => {
      const message = "the stream did not end within its time limit";
      expire(new CriError({ code: "DEADLINE_EXCEEDED", message, endpoint: connection.endpoint }));
    };
    return startTimer(budget.leftMs() ?? 0, late);
  };
}

/** The call options among a workflow's options. */
export function callOptionsOf({ signal, timeoutMs, deadline, retry, metadata }: CallOptions): CallOptions {
  return { signal, timeoutMs, deadline, retry, metadata };
}
