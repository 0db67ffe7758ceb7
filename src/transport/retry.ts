import { ClientError, Status } from "nice-grpc-common";
import { sleep } from "../internal/timer.js";
import { defaultRetryPolicy, type RetryPolicy } from "../options.js";
import { type CallPolicy, policyOf } from "./call-policy.js";
import { grpcTimeout } from "./deadline.js";
import { neverReachedHandler } from "./never-sent.js";
import { callExpiry, callTrace, type Layer } from "./wire-options.js";

/**
 * Retries a call that failed with UNAVAILABLE, if the policy table allows it, no message of a stream has arrived, and the time
 * limit of the call leaves room for the back-off.
 */
export function retryLayer(defaults: RetryPolicy | false | undefined, beforeAttempt: () => void, next: Layer): Layer {
  return async function* retry(call, options) {
    const { path } = call.method;
    const { metadata, [callExpiry]: expiry, [callTrace]: trace } = options;
    const policy = policyOf(path);
    const rules = retryRules(policy, options.retry, defaults);
    for (let attempt = 1; ; attempt++) {
      let hasYielded = false;
      try {
        beforeAttempt();
        if (trace) {
          trace.attempts = attempt;
          trace.path = path;
        }
        if (expiry !== undefined) options.metadata = grpcTimeout(metadata, expiry);
        if (!call.responseStream) return yield* next(call, options);
        for await (const message of next(call, options)) {
          hasYielded = true;
          yield message;
        }
        return;
      } catch (error) {
        if (error instanceof ClientError) trace?.failures.push(error);
        if (hasYielded || attempt >= rules.maxAttempts || !mayRetry(policy, rules, error) || options.signal?.aborted) {
          throw error;
        }
        const pauseMs = backoffMs(attempt, rules);
        if (pauseMs >= (expiry ?? Number.POSITIVE_INFINITY) - performance.now()) throw error;
        await sleep(pauseMs, options.signal);
      }
    }
  };
}

/** Returns the back-off after a failed attempt: full jitter below a bound that doubles up to its maximum. */
export function backoffMs(attempt: number, rules: { initialBackoffMs: number; maxBackoffMs: number }): number {
  return Math.random() * Math.min(rules.maxBackoffMs, rules.initialBackoffMs * 2 ** (attempt - 1));
}

interface RetryRules {
  maxAttempts: number;
  initialBackoffMs: number;
  maxBackoffMs: number;
  /** Whether the call itself has a retry policy. */
  isRequested: boolean;
}

const singleAttempt: RetryRules = { ...defaultRetryPolicy, maxAttempts: 1, isRequested: false };

function retryRules(
  policy: CallPolicy,
  requested: RetryPolicy | false | undefined,
  defaults: RetryPolicy | false | undefined,
): RetryRules {
  if (policy.retry === "no" || requested === false || (requested === undefined && defaults === false))
    return singleAttempt;
  const fallback = defaults || defaultRetryPolicy;
  return {
    maxAttempts: requested?.maxAttempts ?? fallback.maxAttempts ?? defaultRetryPolicy.maxAttempts,
    initialBackoffMs: requested?.initialBackoffMs ?? fallback.initialBackoffMs ?? defaultRetryPolicy.initialBackoffMs,
    maxBackoffMs: requested?.maxBackoffMs ?? fallback.maxBackoffMs ?? defaultRetryPolicy.maxBackoffMs,
    isRequested: requested !== undefined,
  };
}

function mayRetry(policy: CallPolicy, rules: RetryRules, error: unknown): boolean {
  if (neverReachedHandler(error)) return true;
  if (!(error instanceof ClientError) || error.code !== Status.UNAVAILABLE) return false;
  return policy.retry === "yes" || (policy.retry === "on-request" && rules.isRequested);
}
