import { ClientError, Metadata, Status } from "nice-grpc-common";
import { linkAbort } from "../internal/abort.js";
import { startTimer } from "../internal/timer.js";
import { checkCallOptions } from "./call-options.js";
import { policyOf } from "./call-policy.js";
import { callExpiry, type InternalExtension, type Layer } from "./wire-options.js";

/**
 * Gives a call its budget: the caller's, else the one of the policy table. The local timer is the backstop; the runtime hears
 * of the deadline from {@link grpcTimeout}. Also the place where a call learns that its client is being closed.
 *
 * @param closing aborts when the client is being closed
 * @param own there is nobody but us behind this layer, who might keep the signal of a call that has ended
 */
export function deadlineLayer(
  baseTimeoutMs: number,
  { closing, own }: { closing: readonly AbortSignal[]; own: boolean },
  next: Layer,
): Layer {
  return async function* deadline(call, options) {
    const budgetMs = budgetOf(call.method.path, call.requestStream ? undefined : call.request, options, baseTimeoutMs);
    const expiry = budgetMs === undefined ? undefined : performance.now() + budgetMs;
    const tooLate = () => {
      const passed = budgetMs !== undefined && budgetMs <= 0;
      const details = passed ? "the deadline had passed already" : `no answer within ${Math.round(budgetMs ?? 0)} ms`;
      return new ClientError(call.method.path, Status.DEADLINE_EXCEEDED, details);
    };
    const link = linkAbort(options.signal, ...closing);
    let stopTimer = () => {};
    let isFree = false;
    try {
      if (budgetMs !== undefined) {
        if (budgetMs <= 0) link.abort(tooLate());
        else stopTimer = startTimer(budgetMs, () => link.abort(tooLate()));
      }
      link.signal.throwIfAborted();
      // Not a spread: V8 takes microseconds to add properties to an object that one has made.
      const linked = Object.assign({}, options);
      linked.signal = link.signal;
      if (expiry !== undefined) linked[callExpiry] = expiry;
      const reply = yield* next(call, linked);
      isFree = own && !call.responseStream;
      return reply;
    } catch (error) {
      // nice-grpc rejects some aborted calls with an AbortError of its own, so the reason is always taken from the signal.
      if (link.signal.aborted) throw link.signal.reason;
      // The runtime keeps the deadline too, and may be the first to notice: grpc-go then resets the stream, and containerd says
      // UNKNOWN of whatever it was in the middle of.
      const given = error instanceof ClientError && [Status.CANCELLED, Status.UNKNOWN].includes(error.code);
      if (given && expiry !== undefined && performance.now() > expiry - clockSlackMs) throw tooLate();
      throw error;
    } finally {
      stopTimer();
      if (isFree) link.recycle();
      else link.unlink();
    }
  };
}

/** How much earlier than the local clock the runtime may find that time is up. */
const clockSlackMs = 5;

/** The metadata of one attempt: the call's, and what is left of the budget as the `grpc-timeout` header. */
export function grpcTimeout(metadata: Metadata | undefined, expiry: number): Metadata {
  return Metadata(metadata).set("grpc-timeout", formatGrpcTimeout(expiry - performance.now()));
}

/** At most eight digits and a unit, as the gRPC protocol has it; never rounded down to nothing. */
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
