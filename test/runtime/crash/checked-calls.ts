/**
 * Makes calls to a runtime that may be killed at any moment, and checks the duration and the error of each call. If the error says
 * that the call had no effect, nothing may have changed.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type CriClient, CriError } from "k8s-cri-client";
import type { Random } from "../helpers/random.js";

/** Time limit of every call, with room for a slow machine and a restart of the runtime. */
const timeoutMs = 60_000;

/**
 * The time that a call may take beyond its limit. A failed workflow has 15 s to roll back, and a failed creation has 3.5 s to find
 * an object that it may have created. The rest is for slow machines.
 */
const overrunMs = 25_000;

/** Number of attempts before a step counts as failed. A runtime that is killed once needs two or three. */
const maxAttempts = 6;

/** Codes of failures while the runtime is killed or starting. */
const expectedCodes = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "INTERNAL",
  "UNKNOWN",
  "NOT_FOUND",
  "FAILED_PRECONDITION",
  "NAME_RESERVED",
] as const satisfies CriError["code"][];

/** The results of all lifecycles of a round. */
export class RoundRecord {
  /** Violations: wrong replies, wrong errors and late calls, each with the calls before it. */
  readonly wrong: string[] = [];
  /** Number of calls by step and outcome, for example `exec UNAVAILABLE`. */
  readonly outcomes = new Map<string, number>();
  /** Names of pods that a failed call may have created. */
  readonly uncertainPods = new Set<string>();
  /** Whether the runtime has been killed. */
  killed = false;
  /** Number of pods that the runtime reports as ended although only the kill can have ended them. */
  lost = 0;
  calls = 0;
  slowestMs = 0;
}

type Call<T> = (options: { timeoutMs: number }) => Promise<T>;

/** The calls of one lifecycle. */
export class CheckedCalls {
  /** The current step. */
  step = "not started";
  readonly #history: string[] = [];

  constructor(
    private readonly name: string,
    private readonly cri: CriClient,
    readonly record: RoundRecord,
    private readonly random: Random,
  ) {}

  /** Makes one call, which must settle within its time limit. */
  async once<T>(step: string, call: Call<T>): Promise<T> {
    this.step = step;
    this.record.calls++;
    const startedAt = performance.now();
    try {
      const result = await call({ timeoutMs });
      this.note(step, "OK");
      return result;
    } catch (error) {
      this.note(step, error);
      throw error;
    } finally {
      const tookMs = performance.now() - startedAt;
      this.record.slowestMs = Math.max(this.record.slowestMs, tookMs);
      if (tookMs > timeoutMs + overrunMs) this.reportViolation(`${step} took ${Math.round(tookMs)} ms`);
    }
  }

  /**
   * Repeats an idempotent call until it succeeds.
   *
   * @param untouched returns whether the object is unchanged; called if an error says that the call had no effect
   */
  async retry<T>(step: string, call: Call<T>, untouched?: () => Promise<boolean>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(step, call);
      } catch (error) {
        await this.recover(error, attempt);
        if (untouched && CriError.is(error) && !error.mayHaveTakenEffect && !(await untouched()))
          this.reportViolation(`the call had an effect, but its error denies that: ${error}`);
      }
    }
  }

  /** Waits until the runtime is ready again. Rethrows errors that a kill cannot explain, and the error of the last attempt. */
  async recover(error: unknown, attempt: number): Promise<void> {
    if (!CriError.is(error, ...expectedCodes) || attempt >= maxAttempts) throw error;
    await this.cri.waitForReady({ timeoutMs });
    await sleep(this.random.below(200));
  }

  note(step: string, outcome: unknown): void {
    const { outcomes } = this.record;
    const code = CriError.is(outcome) ? outcome.code : outcome instanceof Error ? outcome.name : String(outcome);
    outcomes.set(`${step} ${code}`, (outcomes.get(`${step} ${code}`) ?? 0) + 1);
    const uncertainty = CriError.is(outcome) && outcome.mayHaveTakenEffect ? " (may have taken effect)" : "";
    const suppressed = CriError.is(outcome) ? outcome.suppressed.map((error) => `; suppressed: ${error}`).join("") : "";
    this.#history.push(`${new Date().toISOString().slice(14, 23)} ${step}: ${outcome}${uncertainty}${suppressed}`);
  }

  reportViolation(message: string): void {
    this.record.wrong.push([`${this.name}: ${message}`, ...this.#history.slice(-12)].join("\n    "));
  }
}
