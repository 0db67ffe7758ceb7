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

/** How a call of the facade is limited, cancelled and repeated. */
export interface HowToCall {
  /** Undefined leaves it to the defaults of the RPCs. */
  readonly timeoutMs: number | undefined;
  /** The limit is given as `deadline`. */
  readonly asDeadline: boolean;
  readonly abort: "never" | "before" | { readonly afterMs: number } | { readonly onCall: number };
  readonly retry: false | { readonly maxAttempts: number } | undefined;
  /** Through a client that `with()` made. */
  readonly derived: boolean;
}

export const howToCall: fc.Arbitrary<HowToCall> = fc.record({
  timeoutMs: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 50 }) },
    { weight: 3, arbitrary: fc.integer({ min: 50, max: 400 }) },
  ),
  asDeadline: fc.boolean(),
  abort: fc.oneof(
    { weight: 8, arbitrary: fc.constant("never" as const) },
    { weight: 1, arbitrary: fc.constant("before" as const) },
    { weight: 2, arbitrary: fc.record({ afterMs: fc.integer({ min: 0, max: 250 }) }) },
    { weight: 3, arbitrary: fc.record({ onCall: fc.integer({ min: 1, max: 5 }) }) },
  ),
  retry: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant(false as const) },
    { weight: 1, arbitrary: fc.record({ maxAttempts: fc.integer({ min: 1, max: 4 }) }) },
  ),
  derived: fc.boolean(),
});

/** Without limits: it ends when it has done its work. */
export const patient: HowToCall = {
  timeoutMs: undefined,
  asDeadline: false,
  abort: "never",
  retry: undefined,
  derived: false,
};

/** The request metadata that tells the server which operation a call belongs to. */
export const operationHeader = "x-operation";

/** One call of the facade under way, and what became of it. */
export class Operation {
  readonly startedAt = performance.now();
  /** When the caller aborted it; undefined if it was over by then. */
  abortedAt: number | undefined;
  /** When its client was closed under it. */
  closedAt: number | undefined;
  settledAt: number | undefined;
  outcome: { readonly value: unknown } | { readonly reason: unknown } | undefined;
  /** The calls of it that the server has seen, and when they arrived. */
  readonly calls: { readonly at: number; readonly record: RecordedCall }[] = [];
  /** The marks of what it has asked the runtime to make. */
  readonly marks = new Set<string>();
  readonly controller = new AbortController();
  /** The same creation once more, where it has an identity that it can be found by. */
  again: ((client: CriClient, options: CallOptions) => Promise<OwnedPodSandbox | OwnedContainer>) | undefined;

  constructor(
    readonly number: number,
    readonly name: string,
    readonly how: HowToCall,
    /** The client that it began on, or the one that its own was derived from. */
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

  /** Its error says that nothing has happened. */
  get deniesEffect(): boolean {
    const { reason } = this;
    return CriError.is(reason) && !reason.mayHaveTakenEffect;
  }

  /** It was cancelled, and rejected with the signal's own reason. */
  get cancelled(): boolean {
    return this.rejected && this.abortedAt !== undefined && this.reason === this.controller.signal.reason;
  }

  /** When its time was up: its budget was spent, its caller or its client had gone. Infinity if nothing limits it. */
  get dueAt(): number {
    const limit = this.how.timeoutMs === undefined ? Infinity : this.startedAt + this.how.timeoutMs;
    return Math.min(limit, this.abortedAt ?? Infinity, this.closedAt ?? Infinity);
  }

  abort(): void {
    if (this.outcome || this.abortedAt !== undefined) return;
    this.abortedAt = performance.now();
    this.controller.abort(new Error(`operation ${this.number} was aborted`));
  }

  /** The options of the facade's method. */
  options(longLived: AbortSignal): CallOptions {
    const { timeoutMs, asDeadline, abort, retry } = this.how;
    const limit =
      timeoutMs === undefined ? {} : asDeadline ? { deadline: new Date(Date.now() + timeoutMs) } : { timeoutMs };
    return {
      ...limit,
      // Most callers have a signal that lives as long as their process: no call may leave a listener on it.
      signal: abort === "never" ? longLived : this.controller.signal,
      ...(retry === undefined ? {} : { retry: retry && { ...retry, initialBackoffMs: 10, maxBackoffMs: 40 } }),
      metadata: { [operationHeader]: String(this.number) },
    };
  }

  toString(): string {
    return `#${this.number} ${this.name}`;
  }

  /** What came of it, for the history. */
  describeOutcome(): string {
    if (!this.outcome) return "is under way";
    if ("value" in this.outcome) return `gave ${short(this.outcome.value)}`;
    const { reason } = this.outcome;
    if (!CriError.is(reason)) return `rejected with ${short(reason)}`;
    const doubt = reason.mayHaveTakenEffect ? "may have taken effect" : "no effect";
    const suppressed = reason.suppressed.length > 0 ? `, suppressed ${short(reason.suppressed)}` : "";
    return `rejected (${doubt}${suppressed}) with ${reason.message.replace(/ \(unix:\S+\)$/, "")}`;
  }
}

function short(value: unknown): string {
  if (value instanceof Error) return String(value);
  const text = inspect(value, { depth: 1, breakLength: Infinity });
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}
