import { inspect } from "node:util";
import fc from "fast-check";
import {
  type CallOptions,
  type CriClient,
  CriError,
  type OwnedContainer,
  type OwnedPodSandbox,
} from "../../src/index.js";
import type { RecordedCall } from "../../src/testing/index.js";

/** The limits, abort and retries of a call. */
export interface CallPlan {
  /** Undefined uses the default of the RPC. */
  readonly timeoutMs: number | undefined;
  /** Passes the limit as `deadline` instead of `timeoutMs`. */
  readonly asDeadline: boolean;
  /**
   * When the caller aborts the call or closes the client. `onCall` aborts the call, and `closeOnCall` closes the client, when the
   * n-th RPC of the operation arrives.
   */
  readonly abort:
    | "never"
    | "before"
    | { readonly afterMs: number }
    | { readonly onCall: number }
    | { readonly closeOnCall: number };
  readonly retry: false | { readonly maxAttempts: number } | undefined;
  /** Calls through a client that `with()` returned. */
  readonly derived: boolean;
}

/** A plan without limits: the operation ends when it is complete. */
export const unlimited: CallPlan = {
  timeoutMs: undefined,
  asDeadline: false,
  abort: "never",
  retry: undefined,
  derived: false,
};

const limited: fc.Arbitrary<CallPlan> = fc.record({
  timeoutMs: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 50 }) },
    { weight: 3, arbitrary: fc.integer({ min: 50, max: 400 }) },
  ),
  asDeadline: fc.boolean(),
  abort: fc.oneof(
    { weight: 6, arbitrary: fc.constant("never" as const) },
    { weight: 1, arbitrary: fc.constant("before" as const) },
    { weight: 2, arbitrary: fc.record({ afterMs: fc.integer({ min: 0, max: 250 }) }) },
    { weight: 4, arbitrary: fc.record({ onCall: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ closeOnCall: fc.integer({ min: 1, max: 5 }) }) },
  ),
  retry: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant(false as const) },
    { weight: 1, arbitrary: fc.record({ maxAttempts: fc.integer({ min: 1, max: 4 }) }) },
  ),
  derived: fc.boolean(),
});

export const callPlan: fc.Arbitrary<CallPlan> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(unlimited) },
  { weight: 3, arbitrary: limited },
);

/** Request metadata that tells the server which operation a call belongs to. */
export const operationHeader = "x-operation";

/** One call of the API, and its outcome. */
export class Operation {
  readonly startedAt = performance.now();
  /** When the caller aborted the operation. Undefined if the operation had already settled. */
  abortedAt: number | undefined;
  /** When the client was closed during the call. */
  closedAt: number | undefined;
  settledAt: number | undefined;
  outcome: { readonly value: unknown } | { readonly reason: unknown } | undefined;
  /** The RPCs that the server received, with their arrival times. */
  readonly calls: { readonly at: number; readonly record: RecordedCall }[] = [];
  /** The marks of the creations that the operation requested. */
  readonly marks = new Set<string>();
  readonly controller = new AbortController();
  /** Repeats the creation. Set only if the object has an identity by which the next creation can find it. */
  repeat: ((client: CriClient, options: CallOptions) => Promise<OwnedPodSandbox | OwnedContainer>) | undefined;

  constructor(
    readonly number: number,
    readonly name: string,
    readonly plan: CallPlan,
    /** The client of the call, or the one that it was derived from. */
    readonly client: CriClient,
  ) {}

  get fulfilled(): boolean {
    return this.outcome !== undefined && "value" in this.outcome;
  }

  get rejected(): boolean {
    return this.outcome !== undefined && "reason" in this.outcome;
  }

  get reason(): unknown {
    return this.outcome && "reason" in this.outcome ? this.outcome.reason : undefined;
  }

  /** Whether the error says that the operation had no effect. */
  get claimsNoEffect(): boolean {
    const { reason } = this;
    return CriError.is(reason) && !reason.mayHaveTakenEffect;
  }

  /** Whether the operation rejected with the reason of its own signal. */
  get cancelled(): boolean {
    return this.rejected && this.abortedAt !== undefined && this.reason === this.controller.signal.reason;
  }

  /** When the operation should have ended: at its limit, its abort or the close of its client. Infinity without any of them. */
  get dueAt(): number {
    const limit = this.plan.timeoutMs === undefined ? Infinity : this.startedAt + this.plan.timeoutMs;
    return Math.min(limit, this.abortedAt ?? Infinity, this.closedAt ?? Infinity);
  }

  abort(): void {
    if (this.outcome || this.abortedAt !== undefined) return;
    this.abortedAt = performance.now();
    this.controller.abort(new Error(`operation ${this.number} was aborted`));
  }

  /** Returns the options for the method of the API. */
  options(longLived: AbortSignal): CallOptions {
    const { timeoutMs, asDeadline, abort, retry } = this.plan;
    const limit =
      timeoutMs === undefined ? {} : asDeadline ? { deadline: new Date(Date.now() + timeoutMs) } : { timeoutMs };
    return {
      ...limit,
      // Most callers have a signal that lives as long as their process. No call may leave a listener on it.
      signal: abort === "never" ? longLived : this.controller.signal,
      ...(retry === undefined ? {} : { retry: retry && { ...retry, initialBackoffMs: 10, maxBackoffMs: 40 } }),
      metadata: { [operationHeader]: String(this.number) },
    };
  }

  toString(): string {
    return `#${this.number} ${this.name}`;
  }

  /** Describes the outcome for the history. */
  describeOutcome(): string {
    if (!this.outcome) return "is running";
    if ("value" in this.outcome) return `returned ${short(this.outcome.value)}`;
    const { reason } = this.outcome;
    if (!CriError.is(reason)) return `rejected with ${short(reason)}`;
    const effect = reason.mayHaveTakenEffect ? "may have taken effect" : "no effect";
    const suppressed = reason.suppressed.length > 0 ? `, suppressed ${short(reason.suppressed)}` : "";
    return `rejected (${effect}${suppressed}) with ${reason.message.replace(/ \(unix:\S+\)$/, "")}`;
  }
}

function short(value: unknown): string {
  if (value instanceof Error) return String(value);
  const text = inspect(value, { depth: 1, breakLength: Infinity });
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}
