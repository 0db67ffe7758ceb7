import { ClientError, Status } from "nice-grpc-common";
import { InvalidInputError } from "../errors.js";
import { sleep } from "../internal/timer.js";
import { defaultRetryPolicy, type RetryPolicy } from "../options.js";
import { type CallPolicy, policyOf } from "./call-policy.js";
import { grpcTimeout } from "./deadline.js";
import { neverReachedHandler } from "./never-sent.js";
import { callExpiry, callTrace, type Layer } from "./wire-options.js";

/**
 * Repeats a call that failed with UNAVAILABLE: where the policy table allows it, before any message of a stream has arrived and
 * within the budget of the call.
 */
export function retryLayer(defaults: RetryPolicy | false | undefined, beforeAttempt: () => void, next: Layer): Layer {
  return async function* retry(call, options) {
    const { path } = call.method;
    const { metadata, [callExpiry]: expiry, [callTrace]: trace } = options;
    const policy = policyOf(path);
    const rules = retryRules(policy, options.retry, defaults);
    for (let attempt = 1; ; attempt++) {
      let produced = false;
      try {
        beforeAttempt();
        if (trace) {
          trace.attempts = attempt;
          trace.path = path;
        }
        if (expiry !== undefined) options.metadata = grpcTimeout(metadata, expiry);
        if (!call.responseStream) return yield* next(call, options);
        for await (const message of next(call, options)) {
          produced = true;
          yield message;
        }
        return;
      } catch (error) {
        if (error instanceof ClientError) trace?.failures.push(error);
        if (produced || attempt >= rules.maxAttempts || !mayRepeat(policy, rules, error) || options.signal?.aborted) {
          throw error;
        }
        const pauseMs = backoffMs(attempt, rules);
        if (pauseMs >= (expiry ?? Number.POSITIVE_INFINITY) - performance.now()) throw error;
        await sleep(pauseMs, options.signal);
      }
    }
  };
}

/** The pause after a failed attempt: full jitter below a bound that doubles up to its maximum. */
export function backoffMs(attempt: number, rules: { initialBackoffMs: number; maxBackoffMs: number }): number {
  return Math.random() * Math.min(rules.maxBackoffMs, rules.initialBackoffMs * 2 ** (attempt - 1));
}

interface RetryRules {
  maxAttempts: number;
  initialBackoffMs: number;
  maxBackoffMs: number;
  /** The call itself asked for retries. */
  asked: boolean;
}

const onlyOnce: RetryRules = { ...defaultRetryPolicy, maxAttempts: 1, asked: false };

function retryRules(
  policy: CallPolicy,
  asked: RetryPolicy | false | undefined,
  defaults: RetryPolicy | false | undefined,
): RetryRules {
  if (asked) checkRetryPolicy(asked, "retry");
  if (policy.retry === "no" || asked === false || (asked === undefined && defaults === false)) return onlyOnce;
  const usual = defaults || defaultRetryPolicy;
  return {
    maxAttempts: asked?.maxAttempts ?? usual.maxAttempts ?? defaultRetryPolicy.maxAttempts,
    initialBackoffMs: asked?.initialBackoffMs ?? usual.initialBackoffMs ?? defaultRetryPolicy.initialBackoffMs,
    maxBackoffMs: asked?.maxBackoffMs ?? usual.maxBackoffMs ?? defaultRetryPolicy.maxBackoffMs,
    asked: asked !== undefined,
  };
}

/** Refuses a retry policy that cannot be followed. */
export function checkRetryPolicy(policy: RetryPolicy, field: string): void {
  const { maxAttempts, initialBackoffMs, maxBackoffMs } = policy;
  if (maxAttempts !== undefined && !(maxAttempts >= 1)) {
    throw new InvalidInputError({ field: `${field}.maxAttempts`, message: "must be 1 or more", value: maxAttempts });
  }
  for (const [name, value] of Object.entries({ initialBackoffMs, maxBackoffMs })) {
    if (value !== undefined && !(value >= 0)) {
      throw new InvalidInputError({ field: `${field}.${name}`, message: "must be a number of milliseconds", value });
    }
  }
}

function mayRepeat(policy: CallPolicy, rules: RetryRules, error: unknown): boolean {
  if (neverReachedHandler(error)) return true;
  if (!(error instanceof ClientError) || error.code !== Status.UNAVAILABLE) return false;
  return policy.retry === "yes" || (policy.retry === "on-request" && rules.asked);
}
