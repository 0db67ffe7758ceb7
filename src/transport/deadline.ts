import { ClientError, Metadata, Status } from "nice-grpc-common";
import { checkCallOptions } from "../input/call-options.js";
import { linkAbort } from "../internal/abort.js";
import { startTimer } from "../internal/timer.js";
import { policyOf } from "./call-policy.js";
import { callExpiry, type InternalExtension, type Layer } from "./wire-options.js";

/**
 * Applies the time limit of a call: the caller's, or the default of the policy table. {@link grpcTimeout} sends the limit to the
 * runtime, and a local timer enforces it as well. Also aborts the call when its client closes.
 *
 * @param closing signals that abort when the client closes
 * @param onlyOwnLayers whether all inner layers belong to this package, so that none keeps the signal after the call has ended
 */
export function deadlineLayer(
  baseTimeoutMs: number,
  { closing, onlyOwnLayers }: { closing: readonly AbortSignal[]; onlyOwnLayers: boolean },
  next: Layer,
): Layer {
  return async function* deadline(call, options) {
    const budgetMs = budgetOf(call.method.path, call.requestStream ? undefined : call.request, options, baseTimeoutMs);
    const expiry = budgetMs === undefined ? undefined : performance.now() + budgetMs;
    const timeoutError = () => {
      const passed = budgetMs !== undefined && budgetMs <= 0;
      const details = passed ? "the deadline had already passed" : `no answer within ${Math.round(budgetMs ?? 0)} ms`;
      return new ClientError(call.method.path, Status.DEADLINE_EXCEEDED, details);
    };
    const link = linkAbort(options.signal, ...closing);
    let stopTimer = () => {};
    let isReusable = false;
    try {
      if (budgetMs !== undefined) {
        if (budgetMs <= 0) link.abort(timeoutError());
        else stopTimer = startTimer(budgetMs, () => link.abort(timeoutError()));
      }
      link.signal.throwIfAborted();
      // Not a spread: V8 takes microseconds to add properties to the object that a spread creates.
      const linked = Object.assign({}, options);
      linked.signal = link.signal;
      if (expiry !== undefined) linked[callExpiry] = expiry;
      const reply = yield* next(call, linked);
      isReusable = onlyOwnLayers && !call.responseStream;
      return reply;
    } catch (error) {
      // nice-grpc rejects some aborted calls with an AbortError of its own, so the reason is always taken from the signal.
      if (link.signal.aborted) throw link.signal.reason;
      // The runtime enforces the deadline, too, and may do so before the local timer. grpc-go then resets the stream, and
      // containerd answers UNKNOWN.
      const mayBeDeadline = error instanceof ClientError && [Status.CANCELLED, Status.UNKNOWN].includes(error.code);
      if (mayBeDeadline && expiry !== undefined && performance.now() > expiry - clockSlackMs) throw timeoutError();
      throw error;
    } finally {
      stopTimer();
      if (isReusable) link.recycle();
      else link.unlink();
    }
  };
}

/** How much earlier than the local timer the runtime may enforce the deadline. */
const clockSlackMs = 5;

/** Returns the call's metadata with the remaining time as the `grpc-timeout` header, for one attempt. */
export function grpcTimeout(metadata: Metadata | undefined, expiry: number): Metadata {
  return Metadata(metadata).set("grpc-timeout", formatGrpcTimeout(expiry - performance.now()));
}

/** Formats a time for the `grpc-timeout` header: at most eight digits and a unit, rounded up and never 0. */
export function formatGrpcTimeout(leftMs: number): string {
  for (const [unit, ms] of [
    ["m", 1],
    ["S", 1_000],
    ["M", 60_000],
  ] as const) {
    const value = Math.max(1, Math.ceil(leftMs / ms));
    if (value < 100_000_000) return `${value}${unit}`;
  }
  return "99999999H";
}

function budgetOf(
  path: string,
  request: unknown,
  options: InternalExtension,
  baseTimeoutMs: number,
): number | undefined {
  const { timeoutMs, deadline } = options;
  checkCallOptions(options);
  const limits: number[] = [];
  if (timeoutMs) limits.push(timeoutMs);
  if (deadline) limits.push(deadline.getTime() - Date.now());
  if (limits.length > 0) return Math.min(...limits);
  if (timeoutMs === 0 || baseTimeoutMs === 0) return undefined;
  return policyOf(path).budgetMs(baseTimeoutMs, request ?? {});
}
